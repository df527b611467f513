// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retryplan

import (
	"context"
	"errors"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/retry"
)

// maxTakenNames limits the names that are tried if other Jobs have them.
const maxTakenNames = 20

// ErrOvertaken says that another retry of the same Job was faster.
var ErrOvertaken = errors.New("another retry of the same Job was faster")

// CreateJob creates the Job of a planned retry. If a Job that is no retry of the lineage has the
// name, CreateJob takes the next one, which becomes the planned attempt.
func (p *Planner) CreateJob(ctx context.Context, planned *Planned, opts ...client.CreateOption) (*batchv1.Job, error) {
	opts = append(opts, client.FieldOwner(attribution.FieldManager))
	for tried := 1; ; tried++ {
		job := planned.Job()
		err := p.Client.Create(ctx, job, opts...)
		if !apierrors.IsAlreadyExists(err) || tried == maxTakenNames {
			return job, err
		}
		existing := &batchv1.Job{}
		if err := p.APIReader.Get(ctx, client.ObjectKeyFromObject(job), existing); client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if existing.Labels[joberrorv1.LabelLineage] == string(planned.Lineage.Root) && retry.RequestOf(existing) != "" {
			return nil, ErrOvertaken
		}
		planned.Attempt++
	}
}

// RefusalOf returns the refusal in an answer of the API server that would be the same the next
// time; nil for any other error.
func RefusalOf(attempt string, err error) *retry.Refusal {
	var answer *apierrors.StatusError
	if !errors.As(err, &answer) {
		return nil
	}
	switch {
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsAlreadyExists(err):
		return &retry.Refusal{Code: answer.ErrStatus.Code, Message: fmt.Sprintf("%s: %s", attempt, answer.ErrStatus.Message)}
	default:
		return nil
	}
}
