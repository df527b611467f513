// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retry"
)

// pageSize is how many errors of a lineage are read at a time.
const pageSize = 500

// resolveLineage resolves the open captured errors of the Jobs that ran before the one that
// succeeded, in the name of the requester, and returns how many of them this retry has
// resolved. The Job's own errors are resolved like those of any Job that succeeds. Records
// that a Job reported stay as they are: only the Job knows whether they are fixed.
func (r *Reconciler) resolveLineage(ctx context.Context, jet *joberrorv1.JobErrorRetry, ending retry.Ending) (int32, error) {
	if optedOut, err := r.optedOut(ctx, jet); ending.OptedOut || optedOut || err != nil {
		return 0, err
	}
	var resolved int32
	root := string(jet.Status.Root.UID)
	for _, label := range []string{joberrorv1.LabelJobUID, joberrorv1.LabelLineage} {
		selector := client.MatchingLabels{label: root}
		list := joberrorv1.JobErrorList{}
		for page := ""; ; page = list.Continue {
			list = joberrorv1.JobErrorList{}
			err := r.APIReader.List(ctx, &list, client.InNamespace(jet.Namespace), selector, client.HasLabels{joberrorv1.LabelCaptured},
				client.Limit(pageSize), client.Continue(page))
			if err != nil {
				return 0, fmt.Errorf("list the errors of Job %s and its retries: %w", jet.Status.Root.Name, err)
			}
			for i := range list.Items {
				done, err := r.resolve(ctx, jet, &list.Items[i], ending.At)
				if err != nil {
					return 0, fmt.Errorf("resolve JobError %s: %w", list.Items[i].Name, err)
				}
				if done {
					resolved++
				}
			}
			if list.Continue == "" {
				break
			}
		}
	}
	return resolved, nil
}

// optedOut reports whether automatic resolution is turned off for the operator or for the
// namespace.
func (r *Reconciler) optedOut(ctx context.Context, jet *joberrorv1.JobErrorRetry) (bool, error) {
	if !r.Capture.AutoResolve {
		return true, nil
	}
	namespace, err := joblink.Namespace(ctx, r.Cached, jet.Namespace)
	if err != nil {
		return false, fmt.Errorf("read the namespace: %w", err)
	}
	return capturepolicy.OptedOut(joberrorv1.AnnotationAutoResolve, namespace), nil
}

// resolve resolves an error, unless the success of the retry does not end it. It reports
// whether this retry has resolved the error, now or before it was interrupted.
func (r *Reconciler) resolve(ctx context.Context, jet *joberrorv1.JobErrorRetry, je *joberrorv1.JobError, at time.Time) (bool, error) {
	cause := attribution.Cause{Reason: joberrorv1.ReasonRetrySucceeded, Name: jet.Status.Job.Name}
	for {
		switch {
		case je.Spec.Resolved:
			return attribution.MarkOf(je).Cause == cause, nil
		case !endedBy(je, jet, at):
			return false, nil
		}
		changed := je.DeepCopy()
		changed.Spec.Resolved = true
		attribution.Mark{By: jet.Spec.RequestedBy, Generation: je.Generation + 1, Cause: cause}.Put(changed)
		err := r.Writer.Patch(ctx, je, changed)
		if !apierrors.IsConflict(err) {
			return err == nil, client.IgnoreNotFound(err)
		}
		if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(je), je); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
}

// endedBy reports whether the success of a retry at a time ends an open error. It does not if
// the error belongs to the retry's own Job or opted out, or if somebody reopened it since.
func endedBy(je *joberrorv1.JobError, jet *joberrorv1.JobErrorRetry, at time.Time) bool {
	if je.Labels[joberrorv1.LabelJobUID] == string(jet.Status.Job.UID) || capturepolicy.OptedOut(joberrorv1.AnnotationAutoResolve, je) {
		return false
	}
	c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
	return c == nil || c.Reason != joberrorv1.ReasonReopened || c.LastTransitionTime.Time.Before(at)
}
