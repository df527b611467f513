// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/restore"
)

// Paths of the webhooks for records that are restored from a backup. The API server calls
// them only for users with the right to restore: see the match conditions.
const (
	restoreJobErrorPath   = "/restore-joberror-io-v1-joberror"
	restoreResolutionPath = "/restore-joberror-io-v1-joberrorresolution"
	restoreRetryPath      = "/restore-joberror-io-v1-joberrorretry"
)

// jobErrorRestorer keeps what a restored JobError says about the past.
type jobErrorRestorer struct {
	linker linker
}

// Default keeps the status and the mark of a restored JobError, and links it to the Job
// that it was linked to.
func (r *jobErrorRestorer) Default(ctx context.Context, je *joberrorv1.JobError) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	je.Namespace = req.Namespace
	r.linker.link(ctx, je, je.Status.Job)
	return restore.KeepJobError(je)
}

// resolutionRestorer keeps what a restored JobErrorResolution says about the past.
type resolutionRestorer struct{}

// Default keeps the status of a restored JobErrorResolution. The operator then does not
// carry it out again.
func (resolutionRestorer) Default(_ context.Context, jer *joberrorv1.JobErrorResolution) error {
	return restore.KeepResolution(jer)
}

// retryRestorer keeps what a restored JobErrorRetry says about the past.
type retryRestorer struct{}

// Default keeps the status of a restored JobErrorRetry. The operator then does not carry it
// out again.
func (retryRestorer) Default(_ context.Context, jet *joberrorv1.JobErrorRetry) error {
	return restore.KeepRetry(jet)
}
