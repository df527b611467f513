// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retention"
)

// floorGroup is the group of a resource with the schema of JobErrors. Only the
// garbage collector watches it, and no webhook checks it. The floor can therefore be
// measured in turns with its operation, while the operator runs.
const floorGroup = "floor.joberror.io"

const crdFile = "config/crd/bases/joberror.io_joberrors.yaml"

// installFloor installs the floor's CRD and grants access to it.
func (b *bench) installFloor(ctx context.Context) error {
	data, err := os.ReadFile(crdFile)
	if err != nil {
		return err
	}
	data = bytes.ReplaceAll(data, []byte("group: joberror.io"), []byte("group: "+floorGroup))
	data = bytes.ReplaceAll(data, []byte("name: joberrors.joberror.io"), []byte("name: joberrors."+floorGroup))
	if _, err := b.Run(ctx, bytes.NewReader(data), "create", "-f", "-"); err != nil {
		return err
	}
	resource := "joberrors." + floorGroup
	if err := b.WaitEstablished(ctx, "crd/"+resource); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"create", "clusterrole", "floor", "--verb=*", "--resource=" + resource, "--resource=" + resource + "/status"},
		{"create", "clusterrolebinding", "floor", "--clusterrole=floor", "--user=" + attribution.OperatorUser},
	} {
		if _, err := b.Run(ctx, nil, args...); err != nil {
			return err
		}
	}
	return nil
}

// floorScheme returns a scheme that maps JobErrors to the floor's resource.
func floorScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	version := schema.GroupVersion{Group: floorGroup, Version: joberrorv1.GroupVersion.Version}
	scheme.AddKnownTypes(version, &joberrorv1.JobError{}, &joberrorv1.JobErrorList{})
	metav1.AddToGroupVersion(scheme, version)
	return scheme
}

// floor is a set of objects that a plain client writes to.
type floor struct {
	*bench
	ns  *corev1.Namespace
	job *batchv1.Job
}

func (b *bench) newFloor(ctx context.Context) (*floor, error) {
	ns, job, err := b.namespace(ctx, "floor", "nightly")
	return &floor{bench: b, ns: ns, job: job}, err
}

// span is a range of object numbers: from is included, to is not.
type span struct{ from, to int }

func (s span) size() int { return s.to - s.from }

// timing holds how long the plain client took for some of an operation's writes.
type timing struct {
	errors int
	took   time.Duration
}

// timeWrites calls write for each object of a span and returns the time that took.
func (f *floor) timeWrites(ctx context.Context, s span, write func(context.Context, *joberrorv1.JobError) error) (timing, error) {
	took, err := f.forEach(ctx, s.size(), func(ctx context.Context, i int) error {
		return write(ctx, jobError(f.ns.Name, f.job.Name, s.from+i))
	})
	return timing{errors: s.size(), took: took}, err
}

// create creates an error and writes its first status.
func (f *floor) create(ctx context.Context, je *joberrorv1.JobError) error {
	je.Spec.UserID, je.Spec.CreatedAt = "admin", time.Now().UTC().Format(time.RFC3339)
	joblink.Apply(je, f.job, f.ns.UID, retention.Policy{})
	// The field owner gives the object as many field managers as a JobError has.
	if err := f.plain.Create(ctx, je, client.FieldOwner("reporter")); err != nil {
		return err
	}
	return f.patchStatus(ctx, je, false)
}

// resolve writes the spec and the status of a resolved error.
func (f *floor) resolve(ctx context.Context, je *joberrorv1.JobError) error {
	if err := f.patch(ctx, je, map[string]any{"spec": map[string]any{"resolved": true}}); err != nil {
		return err
	}
	return f.patchStatus(ctx, je, true)
}

// link writes owners and status. It changes a label and the order of the owners, so
// that the API server cannot skip the write as a no-op.
func (f *floor) link(ctx context.Context, je *joberrorv1.JobError) error {
	linked := je.DeepCopy()
	joblink.Apply(linked, f.job, f.ns.UID, retention.Policy{})
	err := f.patch(ctx, je, map[string]any{"metadata": map[string]any{
		"labels":          map[string]string{joberrorv1.LabelJobName: f.job.Name + "-2"},
		"ownerReferences": []metav1.OwnerReference{linked.OwnerReferences[1], linked.OwnerReferences[0]},
	}})
	if err != nil {
		return err
	}
	return f.patchStatus(ctx, je, false)
}

func (f *floor) delete(ctx context.Context, je *joberrorv1.JobError) error {
	return f.plain.Delete(ctx, je)
}

func (f *floor) patch(ctx context.Context, je *joberrorv1.JobError, change map[string]any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	return f.plain.Patch(ctx, je, client.RawPatch(types.MergePatchType, body))
}

func (f *floor) patchStatus(ctx context.Context, je *joberrorv1.JobError, resolved bool) error {
	body, err := json.Marshal(map[string]any{"status": statusOf(f.job, resolved)})
	if err != nil {
		return err
	}
	return f.plain.Status().Patch(ctx, je, client.RawPatch(types.MergePatchType, body))
}

// statusOf returns a status as large as the operator's.
func statusOf(job *batchv1.Job, resolved bool) joberrorv1.JobErrorStatus {
	now := metav1.Now()
	condition := func(name string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{Type: name, Status: status, Reason: reason, Message: message, LastTransitionTime: now}
	}
	status := joberrorv1.JobErrorStatus{
		RetryID: now.UTC().Format(metav1.RFC3339Micro), ExpiresAt: &now, ObservedGeneration: 1,
		Job: &joberrorv1.JobReference{Name: job.Name, UID: job.UID},
		Conditions: []metav1.Condition{
			condition(joberrorv1.ConditionLinked, metav1.ConditionTrue, joberrorv1.ReasonJobFound, "Job "+job.Name+" exists"),
			condition(joberrorv1.ConditionResolved, metav1.ConditionFalse, joberrorv1.ReasonOpen, "nobody has resolved the error yet"),
		},
	}
	if resolved {
		by := "resolve-" + strings.Repeat("x", 5)
		status.ObservedGeneration, status.ResolvedAt, status.ResolvedBy, status.Resolution = 2, &now, "admin", by
		status.Conditions[1] = condition(joberrorv1.ConditionResolved, metav1.ConditionTrue, joberrorv1.ReasonSetByResolution,
			"resolved by admin with JobErrorResolution "+by)
	}
	return status
}
