// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
)

// sourceTime is RFC 3339 with milliseconds, as the source's API writes it.
const sourceTime = "2006-01-02T15:04:05.000Z07:00"

// jobErrorDefaulter fills in who and when, links a new JobError to its Job
// where that is known, and marks who sets spec.resolved.
type jobErrorDefaulter struct {
	cache client.Reader
	clock clock.PassiveClock
}

func (d *jobErrorDefaulter) Default(ctx context.Context, je *joberrorv1.JobError) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	if req.Operation == admissionv1.Create {
		d.defaultCreate(ctx, je, req)
		return nil
	}
	old := &joberrorv1.JobError{}
	if err := json.Unmarshal(req.OldObject.Raw, old); err != nil {
		return fmt.Errorf("old object: %w", err)
	}
	// The API server counts the generation up after admission.
	own := attribution.Mark{By: req.UserInfo.Username, Generation: old.Generation + 1}
	markOf(je, old, je.Spec.Resolved != old.Spec.Resolved, own)
	if err := d.keep(ctx, je, old); err != nil {
		log.FromContext(ctx).Info("The owners of a JobError were not checked at admission", "reason", err.Error())
	}
	return nil
}

func (d *jobErrorDefaulter) defaultCreate(ctx context.Context, je *joberrorv1.JobError, req admission.Request) {
	if je.Spec.UserID == "" {
		je.Spec.UserID = req.UserInfo.Username
	}
	if je.Spec.CreatedAt == "" {
		je.Spec.CreatedAt = d.clock.Now().UTC().Format(sourceTime)
	}
	markOf(je, &joberrorv1.JobError{}, je.Spec.Resolved, attribution.Mark{By: req.UserInfo.Username, Generation: 1})
	je.Namespace = req.Namespace
	if err := d.link(ctx, je); err != nil {
		// The controller links it a moment later.
		log.FromContext(ctx).Info("JobError was not linked at admission", "reason", err.Error())
	}
}

// link ties a new JobError to its Job where that is known. References from a
// manifest that mean another cluster's Job or Namespace are dropped.
func (d *jobErrorDefaulter) link(ctx context.Context, je *joberrorv1.JobError) error {
	job, err := jobref.Find(ctx, d.cache, je.Namespace, je.Spec.JobID)
	if err != nil || job == nil && len(je.OwnerReferences) == 0 {
		return err
	}
	namespace, err := joblink.Namespace(ctx, d.cache, je.Namespace)
	if err != nil {
		return err
	}
	joblink.DropForeign(je, job, namespace.UID)
	if job != nil && !joblink.Cascades(job) {
		joblink.Apply(je, job, namespace.UID)
	}
	// Under Cascade the operator makes the Job the only owner itself; nobody
	// else may leave the Namespace out.
	joblink.Keep(je, namespace.UID)
	return nil
}

// keep puts the Namespace back among the owners where an update takes it away.
func (d *jobErrorDefaulter) keep(ctx context.Context, je, old *joberrorv1.JobError) error {
	if equality.Semantic.DeepEqual(je.OwnerReferences, old.OwnerReferences) || len(je.OwnerReferences) == 0 {
		return nil
	}
	namespace, err := joblink.Namespace(ctx, d.cache, old.Namespace)
	if err == nil {
		joblink.Keep(je, namespace.UID)
	}
	return err
}

// markOf marks a change of spec.resolved with who makes it, and keeps the mark
// as it was where there is none. Another's name is left for the policy in the
// API server to refuse.
func markOf(je, old *joberrorv1.JobError, changed bool, own attribution.Mark) {
	given, before := attribution.Name(je), attribution.Of(old)
	switch {
	case given != "" && given != attribution.Name(old) && given != own.By:
	case changed:
		own.Put(je)
	case attribution.Of(je) != before:
		before.Put(je)
	}
}
