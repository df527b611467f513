// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobs"
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
	defaultUpdate(je, old, req.UserInfo.Username)
	return nil
}

func (d *jobErrorDefaulter) defaultCreate(ctx context.Context, je *joberrorv1.JobError, req admission.Request) {
	if je.Spec.UserID == "" {
		je.Spec.UserID = req.UserInfo.Username
	}
	if je.Spec.CreatedAt == "" {
		je.Spec.CreatedAt = d.clock.Now().UTC().Format(sourceTime)
	}
	if je.Spec.Resolved && attribution.Of(je).By == "" {
		attribution.Mark{By: req.UserInfo.Username, Generation: 1}.Put(je)
	}
	je.Namespace = req.Namespace
	if err := d.link(ctx, je); err != nil {
		// The controller links it a moment later.
		log.FromContext(ctx).Info("JobError was not linked at admission", "reason", err.Error())
	}
}

func (d *jobErrorDefaulter) link(ctx context.Context, je *joberrorv1.JobError) error {
	job, err := jobs.Find(ctx, d.cache, je.Namespace, je.Spec.JobID)
	if err != nil || job == nil {
		return err
	}
	namespace, err := joblink.Namespace(ctx, d.cache, je.Namespace)
	if err != nil {
		return err
	}
	joblink.Apply(je, job, namespace)
	return nil
}

// defaultUpdate marks a change of spec.resolved with who makes it. An update
// that changes nothing of it keeps the mark, even where a replaced manifest
// does not have it.
func defaultUpdate(je, old *joberrorv1.JobError, user string) {
	mark := attribution.Of(je)
	before := attribution.Of(old)
	switch {
	case je.Spec.Resolved != old.Spec.Resolved && (mark == before || mark == attribution.Mark{}):
		// The API server counts the generation up after admission.
		attribution.Mark{By: user, Generation: old.Generation + 1}.Put(je)
	case je.Spec.Resolved == old.Spec.Resolved && mark == attribution.Mark{} && before != mark:
		before.Put(je)
	}
}
