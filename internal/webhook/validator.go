// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobs"
	"joberror.io/operator/internal/retention"
)

// jobErrorValidator refuses a createdAt that no record can have now. The
// policies in the API server have no clock.
type jobErrorValidator struct {
	cache  client.Reader
	clock  clock.PassiveClock
	policy retention.Policy
}

func (v *jobErrorValidator) ValidateCreate(ctx context.Context, je *joberrorv1.JobError) (admission.Warnings, error) {
	job, err := jobs.Find(ctx, v.cache, je.Namespace, je.Spec.JobID)
	if err != nil {
		return nil, err
	}
	problem := v.createdAtProblem(je, retention.OfJob(job))
	if problem == "" {
		return nil, nil
	}
	path := field.NewPath("spec", "createdAt")
	return nil, apierrors.NewInvalid(joberrorv1.GroupVersion.WithKind("JobError").GroupKind(), je.Name,
		field.ErrorList{field.Invalid(path, je.Spec.CreatedAt, problem)})
}

func (v *jobErrorValidator) createdAtProblem(je *joberrorv1.JobError, own string) string {
	now := v.clock.Now()
	createdAt, err := time.Parse(time.RFC3339, je.Spec.CreatedAt)
	switch expiresAt := v.policy.ExpiresAt(je, own); {
	case je.Spec.CreatedAt == "":
		return ""
	case err != nil:
		return "must be a time in RFC 3339, for example 2026-11-05T10:15:00.123Z"
	case createdAt.After(now.Add(retention.ClockSkew)):
		return fmt.Sprintf("must not be more than %s ahead of the current time, %s", retention.ClockSkew, now.UTC().Format(time.RFC3339))
	case !expiresAt.After(now):
		return fmt.Sprintf("is past its retention: the record would have expired at %s; remove it from where it is kept, for example from Git",
			expiresAt.UTC().Format(time.RFC3339))
	default:
		return ""
	}
}

// ValidateUpdate has nothing to judge: createdAt is immutable.
func (v *jobErrorValidator) ValidateUpdate(context.Context, *joberrorv1.JobError, *joberrorv1.JobError) (admission.Warnings, error) {
	return nil, nil
}

// ValidateDelete has nothing to judge either.
func (v *jobErrorValidator) ValidateDelete(context.Context, *joberrorv1.JobError) (admission.Warnings, error) {
	return nil, nil
}
