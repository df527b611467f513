// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// jobErrorValidator refuses a createdAt before the retention period, which depends on a
// flag and on the Job. A policy in the API server refuses a createdAt in the future.
type jobErrorValidator struct {
	cache  client.Reader
	clock  clock.PassiveClock
	policy retention.Policy
}

// ValidateCreate refuses a JobError with an invalid createdAt.
func (v *jobErrorValidator) ValidateCreate(ctx context.Context, je *joberrorv1.JobError) (admission.Warnings, error) {
	job, err := jobref.LookupJob(ctx, v.cache, je.Namespace, je.Spec.JobID)
	if err != nil {
		return nil, err
	}
	problem := v.policy.Problem(je, retention.Requested(job), v.clock.Now())
	if problem == "" {
		return nil, nil
	}
	path := field.NewPath("spec", "createdAt")
	return nil, apierrors.NewInvalid(joberrorv1.GroupVersion.WithKind("JobError").GroupKind(), je.Name,
		field.ErrorList{field.Invalid(path, je.Spec.CreatedAt, problem)})
}

// ValidateUpdate accepts all updates, because createdAt is immutable.
func (v *jobErrorValidator) ValidateUpdate(context.Context, *joberrorv1.JobError, *joberrorv1.JobError) (admission.Warnings, error) {
	return nil, nil
}

// ValidateDelete accepts all deletions.
func (v *jobErrorValidator) ValidateDelete(context.Context, *joberrorv1.JobError) (admission.Warnings, error) {
	return nil, nil
}
