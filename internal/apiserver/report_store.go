// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
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

// conflictBackoff is the delay between attempts to write a JobError that others, such as
// the controllers, write at the same time.
var conflictBackoff = wait.Backoff{Duration: 5 * time.Millisecond, Factor: 1.2, Jitter: 1, Steps: 30}

// store creates the JobError of a reported record, or counts the record in the existing
// JobError. Each write succeeds only if the JobError has not changed since it was read. So
// no occurrence is lost or counted twice, even if others write at the same time.
func (b *backend) store(ctx context.Context, ref jobref.Ref, reported *reportedRecord, dryRun bool) (resolvev1.Record, error) {
	w := recordWriter{backend: b, ref: ref, reported: reported, dryRun: dryRun}
	if err := wait.ExponentialBackoffWithContext(ctx, conflictBackoff, w.tryStore); err != nil {
		return resolvev1.Record{}, asStatus(err)
	}
	return recordOf(w.je), nil
}

// asStatus returns the error of a record that was not stored. An error without a status,
// such as a timeout, becomes a 503: the client can send the record again.
func asStatus(err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return err
	}
	return apierrors.NewServiceUnavailable("the record was not stored; send it again: " + err.Error())
}

// recordWriter stores one reported record.
type recordWriter struct {
	*backend
	ref      jobref.Ref
	reported *reportedRecord
	dryRun   bool

	// je is the JobError that was last read or written.
	je *joberrorv1.JobError
	// exists is true once the JobError exists.
	exists bool
	// counted is the number of failures that the JobError already counts: 1 if this request
	// created it, otherwise 0.
	counted int
}

// tryStore reports whether the record is stored. After a conflict, it must be called again.
func (w *recordWriter) tryStore(ctx context.Context) (bool, error) {
	if err := w.storing.Acquire(ctx, 1); err != nil {
		return false, apierrors.NewTimeoutError("the record was not stored in time; send it again", 1)
	}
	defer w.storing.Release(1)
	if !w.exists {
		err := w.create(ctx)
		if w.exists = err == nil || apierrors.IsAlreadyExists(err); !w.exists {
			return false, err
		}
		if err == nil {
			w.counted = 1
			w.opened()
			w.addToMetric(w.reported.failures[0].Times)
			if w.dryRun || len(w.reported.failures) == 1 {
				return true, nil
			}
			return w.tryCount(ctx)
		}
	}
	w.je = &joberrorv1.JobError{}
	err := w.apiReader.Get(ctx, client.ObjectKeyFromObject(w.reported.je), w.je)
	if apierrors.IsNotFound(err) {
		w.exists, w.counted = false, 0
		return false, nil
	}
	if err == nil {
		err = w.checkSameRecord()
	}
	// The controller alone counts the occurrences of captured errors.
	if err != nil || w.je.Labels[joberrorv1.LabelCaptured] != "" {
		return err == nil, err
	}
	return w.tryCount(ctx)
}

func (w *recordWriter) create(ctx context.Context) error {
	w.je = w.reported.je.DeepCopy()
	opts := []client.CreateOption{client.FieldOwner(attribution.FieldManager)}
	if w.dryRun {
		opts = append(opts, client.DryRunAll)
	}
	return w.client.Create(ctx, w.je, opts...)
}

// checkSameRecord returns an error if the existing JobError is not the reported record.
func (w *recordWriter) checkSameRecord() error {
	conflict := func(problem string) error {
		return apierrors.NewConflict(joberrorv1.GroupVersion.WithResource("joberrors").GroupResource(), w.je.Name, errors.New(problem))
	}
	if !w.ref.Owns(w.je) {
		return conflict("_id: an error of another job has this name; omit _id, or use a name that no other job uses")
	}
	existing, reported := recordOf(w.je), recordOf(w.reported.je)
	if w.reported.source == "" {
		// The source is the pod, and another pod may have reported the record first.
		reported.Source = existing.Source
	}
	if failure.ContentWithoutTime(&existing) != failure.ContentWithoutTime(&reported) {
		return conflict(fmt.Sprintf("_id: the error %s of this job has other content", w.je.Name))
	}
	return nil
}

// tryCount counts the new occurrences, and reports whether it succeeded. It returns false
// after a conflict.
func (w *recordWriter) tryCount(ctx context.Context) (bool, error) {
	added, err := w.countOccurrences(ctx)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return false, nil
	}
	if err == nil {
		w.addToMetric(added)
	}
	return err == nil, err
}

// countOccurrences counts the record in the JobError, reopens the JobError if necessary, and
// returns the number of new occurrences.
func (w *recordWriter) countOccurrences(ctx context.Context) (int, error) {
	repetition := failure.Repeat(w.je, w.reported.failures[w.counted:], w.reported.at)
	if before := w.je.DeepCopy(); !equality.Semantic.DeepEqual(before.Status, repetition.Status) {
		w.je.Status = repetition.Status
		if err := w.client.Status().Patch(ctx, w.je, optimisticPatch(before), &client.SubResourcePatchOptions{PatchOptions: w.patchOptions()}); err != nil {
			return 0, err
		}
	}
	if !repetition.Reopens() {
		return repetition.New, nil
	}
	before := w.je.DeepCopy()
	w.je.Spec.Resolved = false
	repetition.Annotate(w.je)
	attribution.Mark{
		By: w.reported.by, Generation: before.Generation + 1, Cause: attribution.Cause{Reason: attribution.ReportedAgain},
	}.Put(w.je)
	opts := w.patchOptions()
	if err := w.client.Patch(ctx, w.je, optimisticPatch(before), &opts); err != nil {
		return 0, err
	}
	w.opened()
	return repetition.New, nil
}

// opened notes that the JobError was created or reopened: a request to resolve every error
// that comes next includes it, even if the cache does not have it yet.
func (w *recordWriter) opened() {
	if !w.dryRun {
		w.summaries.wrote(w.je)
	}
}

// optimisticPatch returns a patch that fails if the object has changed since before was read.
func optimisticPatch(before *joberrorv1.JobError) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

func (w *recordWriter) patchOptions() client.PatchOptions {
	opts := client.PatchOptions{FieldManager: attribution.FieldManager}
	if w.dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	return opts
}

// addToMetric adds stored occurrences to the metric of reported records.
func (w *recordWriter) addToMetric(occurrences int) {
	if !w.dryRun && occurrences > 0 {
		metrics.Reported(w.je.Namespace, occurrences)
	}
}
