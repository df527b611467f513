// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/metrics"
)

// conflicts paces the attempts to change a JobError that others change at the same
// time, such as the operator's controller.
var conflicts = wait.Backoff{Duration: 5 * time.Millisecond, Factor: 1.2, Jitter: 1, Steps: 30}

// keep creates the JobError of a record, or counts the record in the existing one.
// Each write holds only against the version that was read: no occurrence is lost or
// counted twice, whoever else writes.
func (b *backend) keep(ctx context.Context, ref jobref.Ref, r *report, dryRun bool) (resolvev1.Record, error) {
	k := keeper{backend: b, ref: ref, report: r, dryRun: dryRun}
	if err := wait.ExponentialBackoffWithContext(ctx, conflicts, k.attempt); err != nil {
		return resolvev1.Record{}, sendAgain(err)
	}
	return recordOf(k.je), nil
}

// keeper keeps one record.
type keeper struct {
	*backend
	ref    jobref.Ref
	report *report
	dryRun bool

	// je is the JobError as it was last read or written.
	je *joberrorv1.JobError
	// exists is true once a JobError with this name exists.
	exists bool
	// counted is 1 if this request created the JobError: its first failure is
	// counted then.
	counted int
}

// attempt reports whether the record is kept. A conflict takes another attempt.
func (k *keeper) attempt(ctx context.Context) (bool, error) {
	if err := k.reports.Acquire(ctx, 1); err != nil {
		return false, apierrors.NewTimeoutError("the record was not reached in time; send it again", 1)
	}
	defer k.reports.Release(1)
	if !k.exists {
		err := k.create(ctx)
		if k.exists = err == nil || apierrors.IsAlreadyExists(err); !k.exists {
			return false, err
		}
		if err == nil {
			k.counted = 1
			k.observe(k.report.failures[0].Times)
			if k.dryRun || len(k.report.failures) == 1 {
				return true, nil
			}
			return k.settle(ctx)
		}
	}
	k.je = &joberrorv1.JobError{}
	err := k.live.Get(ctx, client.ObjectKeyFromObject(k.report.je), k.je)
	if apierrors.IsNotFound(err) {
		k.exists, k.counted = false, 0
		return false, nil
	}
	if err == nil {
		err = same(k.ref, k.je, k.report)
	}
	// Only the operator knows how often a failure that it captured happened.
	if err != nil || k.je.Labels[joberrorv1.LabelCaptured] != "" {
		return err == nil, err
	}
	return k.settle(ctx)
}

func (k *keeper) create(ctx context.Context) error {
	k.je = k.report.je.DeepCopy()
	opts := []client.CreateOption{client.FieldOwner(attribution.FieldManager)}
	if k.dryRun {
		opts = append(opts, client.DryRunAll)
	}
	return k.client.Create(ctx, k.je, opts...)
}

// settle counts what is not counted yet, and reports whether nobody else changed
// the JobError at the same time.
func (k *keeper) settle(ctx context.Context) (bool, error) {
	n, err := k.count(ctx)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return false, nil
	}
	if err == nil {
		k.observe(n)
	}
	return err == nil, err
}

// count counts the record in the JobError, reopens it if need be, and returns how
// many occurrences are new.
func (k *keeper) count(ctx context.Context) (int, error) {
	again := failure.Repeat(k.je, k.report.failures[k.counted:], k.report.at)
	if before := k.je.DeepCopy(); !equality.Semantic.DeepEqual(before.Status, again.Status) {
		k.je.Status = again.Status
		if err := k.client.Status().Patch(ctx, k.je, locked(before), &client.SubResourcePatchOptions{PatchOptions: k.patchOptions()}); err != nil {
			return 0, err
		}
	}
	if !again.Reopens() {
		return again.New, nil
	}
	before := k.je.DeepCopy()
	k.je.Spec.Resolved = false
	again.Annotate(k.je)
	attribution.Mark{
		By: k.report.by, Generation: before.Generation + 1, Cause: attribution.Cause{Reason: attribution.ReportedAgain},
	}.Put(k.je)
	opts := k.patchOptions()
	return again.New, k.client.Patch(ctx, k.je, locked(before), &opts)
}

// locked returns the patch that holds only against the version that was read.
func locked(before *joberrorv1.JobError) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

func (k *keeper) patchOptions() client.PatchOptions {
	opts := client.PatchOptions{FieldManager: attribution.FieldManager}
	if k.dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	return opts
}

// observe measures records that were reported.
func (k *keeper) observe(times int) {
	if !k.dryRun && times > 0 {
		metrics.Reported(k.je.Namespace, times)
	}
}
