// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
)

// floor is how long the bare writes of each kind take, n of them.
type floor struct {
	creates, status, links, resolves, deletes time.Duration
}

// mean is the floor between two that were taken before and after the operator's
// work, since a machine's speed drifts.
func (f floor) mean(other floor) floor {
	return floor{
		creates: (f.creates + other.creates) / 2, status: (f.status + other.status) / 2, links: (f.links + other.links) / 2,
		resolves: (f.resolves + other.resolves) / 2, deletes: (f.deletes + other.deletes) / 2,
	}
}

// floor writes what the operator would write, with no operator and no webhook
// there: objects of the same size, patches of the same fields.
func (b *bench) floor(ctx context.Context, n int) (f floor, err error) {
	say("the floor of %d errors", n)
	for _, kind := range []string{"mutating", "validating"} {
		if _, err := b.Run(ctx, nil, "delete", "--ignore-not-found", kind+"webhookconfiguration", "joberror-operator"); err != nil {
			return f, err
		}
	}
	ns, job, err := b.namespace(ctx, "floor", "nightly")
	if err != nil {
		return f, err
	}
	f.creates, err = b.create(ctx, ns.Name, job.Name, n, func(je *joberrorv1.JobError) {
		je.Spec.UserID, je.Spec.CreatedAt = "admin", time.Now().UTC().Format(time.RFC3339)
		joblink.Apply(je, job, ns.UID)
	})
	if err != nil {
		return f, err
	}
	for _, step := range []struct {
		took *time.Duration
		do   func(context.Context, *joberrorv1.JobError) error
	}{
		{&f.status, func(ctx context.Context, je *joberrorv1.JobError) error {
			return b.patchStatus(ctx, je, statusOf(job, false))
		}},
		{&f.links, func(ctx context.Context, je *joberrorv1.JobError) error { return b.patchLink(ctx, je, job, ns) }},
		{&f.resolves, func(ctx context.Context, je *joberrorv1.JobError) error {
			if err := b.plain.Patch(ctx, je, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"resolved":true}}`))); err != nil {
				return err
			}
			return b.patchStatus(ctx, je, statusOf(job, true))
		}},
		{&f.deletes, func(ctx context.Context, je *joberrorv1.JobError) error { return b.plain.Delete(ctx, je) }},
	} {
		*step.took, err = b.each(ctx, n, func(ctx context.Context, i int) error { return step.do(ctx, jobError(ns.Name, job.Name, i)) })
		if err != nil {
			return f, err
		}
	}
	return f, b.Install(ctx, manifests, b.at)
}

func (b *bench) patchStatus(ctx context.Context, je *joberrorv1.JobError, status joberrorv1.JobErrorStatus) error {
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	return b.plain.Status().Patch(ctx, je, client.RawPatch(types.MergePatchType, body))
}

// patchLink writes another label and the owners in another order, so that the
// write is none that the API server can leave out.
func (b *bench) patchLink(ctx context.Context, je *joberrorv1.JobError, job *batchv1.Job, ns *corev1.Namespace) error {
	linked := je.DeepCopy()
	joblink.Apply(linked, job, ns.UID)
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"labels":          map[string]string{joberrorv1.LabelJobName: job.Name + "-2"},
		"ownerReferences": []metav1.OwnerReference{linked.OwnerReferences[1], linked.OwnerReferences[0]},
	}})
	if err != nil {
		return err
	}
	return b.plain.Patch(ctx, je, client.RawPatch(types.MergePatchType, body))
}

// statusOf is a status of the size that the operator's has.
func statusOf(job *batchv1.Job, resolved bool) joberrorv1.JobErrorStatus {
	now := metav1.Now()
	status := joberrorv1.JobErrorStatus{
		RetryID: now.UTC().Format(metav1.RFC3339Micro), ExpiresAt: &now, ObservedGeneration: 1,
		Job: &joberrorv1.JobReference{Name: job.Name, UID: job.UID},
		Conditions: []metav1.Condition{
			{Type: joberrorv1.ConditionLinked, Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonJobFound,
				LastTransitionTime: now, Message: fmt.Sprintf("Job %s exists", job.Name)},
			{Type: joberrorv1.ConditionResolved, Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonOpen,
				LastTransitionTime: now, Message: "nobody has resolved the error yet"},
		},
	}
	if resolved {
		status.ObservedGeneration, status.ResolvedAt, status.ResolvedBy, status.Resolution = 2, &now, "admin", "resolve-xxxxx"
		status.Conditions[1].Status, status.Conditions[1].Reason = metav1.ConditionTrue, joberrorv1.ReasonSetByResolution
		status.Conditions[1].Message = "resolved by admin with JobErrorResolution resolve-xxxxx"
	}
	return status
}
