// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// createdAtFormat is RFC 3339 with milliseconds.
const createdAtFormat = "2006-01-02T15:04:05.000Z07:00"

// jobErrorDefaulter sets the user and the time of a new JobError, links it to its Job if
// the Job is known, and records which user sets spec.resolved. On Kubernetes 1.36 and
// later, the policies under config/mutating-policies have set the users before, and no
// update reaches the webhook.
type jobErrorDefaulter struct {
	cache  client.Reader
	clock  clock.PassiveClock
	policy retention.Policy
	linker linker
	clock  clock.PassiveClock
}

// Default sets the defaults of a new JobError and the mark of any JobError.
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
		return fmt.Errorf("decode old object: %w", err)
	}
	// The API server increments the generation after admission.
	mark := attribution.Mark{By: req.UserInfo.Username, Generation: old.Generation + 1}
	setMark(je, old, je.Spec.Resolved != old.Spec.Resolved, mark)
	d.linker.keepNamespaceOwner(ctx, je, old)
	return nil
}

func (d *jobErrorDefaulter) defaultCreate(ctx context.Context, je *joberrorv1.JobError, req admission.Request) {
	if je.Spec.UserID == "" {
		je.Spec.UserID = req.UserInfo.Username
	}
	if je.Spec.CreatedAt == "" {
		je.Spec.CreatedAt = d.clock.Now().UTC().Format(createdAtFormat)
	}
	setMark(je, &joberrorv1.JobError{}, je.Spec.Resolved, attribution.Mark{By: req.UserInfo.Username, Generation: 1})
	je.Namespace = req.Namespace
	if err := d.link(ctx, je); err != nil {
		// The controller links the JobError later.
		log.FromContext(ctx).Info("Cannot link the JobError to its Job at admission", "reason", err.Error())
	}
}

// link links a new JobError to its Job if the Job is known. It drops owner references to
// a Job or a Namespace of another cluster, which a manifest may contain.
func (d *jobErrorDefaulter) link(ctx context.Context, je *joberrorv1.JobError) error {
	job, err := jobref.LookupJob(ctx, d.cache, je.Namespace, je.Spec.JobID)
	if err != nil || job == nil && len(je.OwnerReferences) == 0 {
		return err
	}
	namespace, err := joblink.Namespace(ctx, d.cache, je.Namespace)
	if err != nil {
		return err
	}
	joblink.DropForeign(je, job, namespace.UID)
	if job != nil && !d.policy.Cascades(job) {
		joblink.Apply(je, job, namespace.UID, d.policy)
	}
	// Only the operator may leave out the Namespace, for a Job with the deletion policy
	// Cascade.
	joblink.EnsureNamespaceOwner(je, namespace.UID)
	return nil
}

// keepNamespaceOwner restores the Namespace as an owner if an update removes it.
func (d *jobErrorDefaulter) keepNamespaceOwner(ctx context.Context, je, old *joberrorv1.JobError) error {
	if equality.Semantic.DeepEqual(je.OwnerReferences, old.OwnerReferences) || len(je.OwnerReferences) == 0 {
		return nil
	}
	namespace, err := joblink.Namespace(ctx, d.cache, old.Namespace)
	if err == nil {
		joblink.EnsureNamespaceOwner(je, namespace.UID)
	}
	return err
	d.linker.link(ctx, je, nil)
}

// setMark sets the mark if spec.resolved has changed, and otherwise restores the old mark.
// If the update names another user, it leaves the mark unchanged: the policy in the API
// server then refuses the update.
func setMark(je, old *joberrorv1.JobError, changed bool, mark attribution.Mark) {
	by, before := attribution.ResolvedBy(je), attribution.MarkOf(old)
	switch {
	case by != "" && by != attribution.ResolvedBy(old) && by != mark.By:
	case changed:
		mark.Put(je)
	case attribution.MarkOf(je) != before:
		before.Put(je)
	}
}
