// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/requeue"
)

// archiveRetry delays the next attempt to trim a scope after the archive has failed.
const archiveRetry = 10 * time.Second

// turn holds the errors to delete now.
type turn struct {
	errs []*joberrorv1.JobError
	// lost says that these errors are not in the archive. They are deleted because too many wait.
	lost bool
	// wait is the delay before the next turn.
	wait time.Duration
}

// archive writes errors to the archive together, and returns those that may be deleted. surplus is
// how many errors of the scope exceed its limit. If the archive fails, they stay for now.
func (r *Reconciler) archive(ctx context.Context, scope errorlimit.Scope, errs []*joberrorv1.JobError, surplus int) (turn, error) {
	if len(errs) == 0 {
		r.Archive.Hold(requestFor(scope).String(), 0)
		return turn{}, nil
	}
	release := r.Archive.WriteNow(ctx, requestFor(scope).String(), errs, surplus)
	switch {
	case release.Err != nil:
		return turn{}, release.Err
	case len(release.Lost) > 0:
		return turn{errs: release.Lost, lost: true}, nil
	case release.Failed:
		return turn{errs: release.Written, wait: archiveRetry}, nil
	case len(release.Written) == 0:
		// Each of them is gone, or its status is not complete yet.
		return turn{}, requeue.ErrStaleCache
	}
	return turn{errs: release.Written}, nil
}

// preconditions returns the preconditions for deleting an error. With an archive, it must still
// have exactly the version that was written.
func (r *Reconciler) preconditions(je *joberrorv1.JobError) client.Preconditions {
	if r.Archive == nil {
		return client.Preconditions{UID: &je.UID}
	}
	return client.Preconditions{UID: &je.UID, ResourceVersion: &je.ResourceVersion}
}
