// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/requeue"
)

// code is the code of the record that counts the errors that were deleted because of a
// limit.
const code = "ErrorLimitExceeded"

// newRecord returns the record of a scope. An error of the scope says which Job a Job's
// scope means.
func newRecord(scope errorlimit.Scope, member *joberrorv1.JobError, limit int, now time.Time) *joberrorv1.JobError {
	record := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: scope.Namespace,
			Labels:    map[string]string{joberrorv1.LabelCaptured: joberrorv1.CapturedTrimmed},
		},
		Spec: joberrorv1.JobErrorSpec{UserID: attribution.OperatorUser, CreatedAt: now.UTC().Format(time.RFC3339), Code: code},
	}
	subject, uid := "", types.UID("")
	switch job := member.Status.Job; {
	case scope.Kind == errorlimit.CronJob:
		record.Spec.JobID = scope.Name
		record.Labels[joberrorv1.LabelCronJobName] = scope.Name
		subject = fmt.Sprintf("CronJob %s may have %d captured errors", scope.Name, limit)
	case scope.Kind == errorlimit.Namespace:
		record.Spec.JobID = joberrorv1.NamespaceJobID
		subject = fmt.Sprintf("namespace %s may have %d errors", scope.Namespace, limit)
	case job != nil:
		record.Spec.JobID, uid = job.Name, job.UID
		subject = fmt.Sprintf("Job %s may have %d reported errors", job.Name, limit)
	default:
		record.Spec.JobID = scope.Name
		subject = fmt.Sprintf("Job %s may have %d reported errors", scope.Name, limit)
	}
	if scope.Kind == errorlimit.Job {
		// What a Job reports is not resolved automatically.
		metav1.SetMetaDataAnnotation(&record.ObjectMeta, joberrorv1.AnnotationAutoResolve, joberrorv1.Off)
	}
	record.Name = failure.ErrorName(record.Spec.JobID, uid, "limit/"+string(scope.Kind))
	record.Spec.Message = fmt.Sprintf("%s (%s); status.occurrences counts the errors that were deleted before they expired, resolved ones first, then the oldest",
		subject, scope.Kind.Flag())
	return record
}

// ensureRecord returns the record of a scope as the API server has it, and creates it
// before the first deletion. It returns nil if there can't be one: then only the metric
// and the log count what is deleted.
func (r *Reconciler) ensureRecord(ctx context.Context, scope errorlimit.Scope, member *joberrorv1.JobError, limit int) (*joberrorv1.JobError, error) {
	wanted := newRecord(scope, member, limit, r.Clock.Now())
	record := &joberrorv1.JobError{}
	err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(wanted), record)
	switch {
	case apierrors.IsNotFound(err):
		return r.createRecord(ctx, wanted, member)
	case err != nil:
		return nil, fmt.Errorf("read JobError %s: %w", wanted.Name, err)
	case record.Labels[joberrorv1.LabelCaptured] != joberrorv1.CapturedTrimmed:
		log.FromContext(ctx).Info("Deleted errors are not counted in a record: another JobError has its name", "jobError", wanted.Name)
		return nil, nil
	}
	return record, nil
}

func (r *Reconciler) createRecord(ctx context.Context, record, member *joberrorv1.JobError) (*joberrorv1.JobError, error) {
	if err := r.link(ctx, record, member.Status.Job); err != nil {
		return nil, err
	}
	err := r.Cached.Create(ctx, record)
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil, requeue.ErrStaleCache
	case apierrors.IsForbidden(err):
		// A quota has no room left, and the deletions make room; or the namespace is being
		// deleted.
		log.FromContext(ctx).Info("Deleted errors are not counted in a record: it can't be created", "jobError", record.Name, "reason", err.Error())
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("create JobError %s: %w", record.Name, err)
	}
	return record, nil
}

// link links the record of a Job to that Job, as the errors that it counts are.
func (r *Reconciler) link(ctx context.Context, record *joberrorv1.JobError, reference *joberrorv1.JobReference) error {
	if reference == nil || record.Spec.JobID != reference.Name {
		return nil
	}
	namespace, err := joblink.Namespace(ctx, r.Cached, record.Namespace)
	if err != nil {
		return fmt.Errorf("read the namespace: %w", err)
	}
	job, err := jobref.LookupJobByUID(ctx, r.Cached, record.Namespace, reference.UID)
	if err != nil {
		return fmt.Errorf("read Job %s: %w", reference.Name, err)
	}
	gone := job == nil
	if gone {
		job = &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: reference.Name, UID: reference.UID}}
		if reference.Retention != "" {
			metav1.SetMetaDataAnnotation(&job.ObjectMeta, joberrorv1.AnnotationRetention, reference.Retention)
		}
	}
	joblink.LinkNew(record, job, gone, namespace.UID, r.Retention)
	return nil
}

// count counts errors in a record, before they are deleted.
func (r *Reconciler) count(ctx context.Context, record *joberrorv1.JobError, batch []*joberrorv1.JobError) error {
	before := record.DeepCopy()
	uids := make([]types.UID, len(batch))
	for i, je := range batch {
		uids[i] = je.UID
	}
	failure.CountDeleted(&record.Status, uids, r.Clock.Now())
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err := r.Cached.Status().Patch(ctx, record, patch)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		// The next turn reads the record again.
		return requeue.ErrStaleCache
	}
	if err != nil {
		return fmt.Errorf("count deleted errors in JobError %s: %w", record.Name, err)
	}
	return nil
}
