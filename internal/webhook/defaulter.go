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
)

// createdAtFormat is RFC 3339 with milliseconds.
const createdAtFormat = "2006-01-02T15:04:05.000Z07:00"

// jobErrorDefaulter sets the user and the time of a new JobError, links it to its Job if
// the Job is known, and records which user sets spec.resolved. On Kubernetes 1.36 and
// later, the policies under config/mutating-policies have set the users before, and no
// update reaches the webhook.
type jobErrorDefaulter struct {
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
