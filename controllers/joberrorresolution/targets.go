// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"cmp"
	"context"
	"iter"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/jobref"
)

// request is a resolution that is carried out. It does not change while its targets
// are set.
type request struct {
	*joberrorv1.JobErrorResolution
	// ref is the job whose errors are resolved.
	ref jobref.Ref
	// snapshot is the resource version at which the request was made.
	snapshot string
}

func requestOf(jer *joberrorv1.JobErrorResolution, ref jobref.Ref) request {
	return request{jer.DeepCopy(), ref, cmp.Or(jer.Status.SnapshotResourceVersion, jer.ResourceVersion)}
}

// key returns the key of one of the errors.
func (q request) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: q.Namespace, Name: name}
}

// subject returns what the request changes.
func (q request) subject() subject {
	job := q.ref.ID
	if q.ref.Job != nil {
		job = string(q.ref.Job.UID)
	}
	return subject{job: job, resolved: q.Spec.WantsResolved()}
}

// id returns what marks the errors that the request has set.
func (q request) id() attribution.Resolution {
	return attribution.Resolution{Name: q.Name, UID: q.UID}
}

// target is one error that a request asks to set.
type target struct {
	name string
	// snapshot is the error as it was when the request was made; nil if the request
	// names the error and it is not read yet.
	snapshot *joberrorv1.JobError
}

// maxTargets limits the targets of a request that are read and wait to be set.
const maxTargets = 100

// trim drops the fields of an error that are not needed to set it.
func trim(je *joberrorv1.JobError) *joberrorv1.JobError {
	trimmed := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: je.Spec.Resolved}}
	trimmed.Namespace, trimmed.Name, trimmed.UID = je.Namespace, je.Name, je.UID
	trimmed.ResourceVersion, trimmed.Generation = je.ResourceVersion, je.Generation
	attribution.CopyMark(je, trimmed)
	return trimmed
}

// targets yields the errors that the request asks to set. It reads them page by page, so
// that very many take no more memory than one page.
func (r *Reconciler) targets(ctx context.Context, q request) iter.Seq2[target, error] {
	if len(q.Spec.Errors) == 0 {
		return r.allTargets(ctx, q)
	}
	return func(yield func(target, error) bool) {
		for _, name := range q.Spec.Errors {
			if !yield(target{name: name}, nil) {
				return
			}
		}
	}
}

// allTargets yields the job's errors that were not as requested when the request was
// made, neither more nor fewer, since it reads the store at that resource version. The
// store forgets old versions after some minutes, perhaps in the middle of a long
// resolution. Then allTargets continues with the errors as they are now, and each error
// itself shows whether the request applies to it.
func (r *Reconciler) allTargets(ctx context.Context, q request) iter.Seq2[target, error] {
	return func(yield func(target, error) bool) {
		unlike := !q.Spec.WantsResolved()
		options := jobref.ListOptions{Resolved: &unlike, ResourceVersion: q.snapshot}
		wanted := func(je *joberrorv1.JobError) (target, bool) { return target{je.Name, trim(je)}, true }
		var last position
		for {
			err := r.each(ctx, q, options, func(je *joberrorv1.JobError) bool {
				// The lists are sorted alike, so no error is yielded twice.
				at := position{je.Spec.JobID, je.Name}
				if !last.before(at) {
					return true
				}
				last = at
				t, ok := wanted(je)
				return !ok || yield(t, nil)
			})
			if !isExpired(err) {
				if err != nil {
					yield(target{}, err)
				}
				return
			}
			log.FromContext(ctx).Info("Continuing a resolution with the errors as they are now: its snapshot has expired", "after", last.name)
			options = jobref.ListOptions{}
			wanted = func(je *joberrorv1.JobError) (target, bool) {
				return target{je.Name, beforeRequest(q, je)}, appliesTo(q, je)
			}
		}
	}
}

// each calls f for each of the job's errors, until f returns false.
func (r *Reconciler) each(ctx context.Context, q request, options jobref.ListOptions, f func(*joberrorv1.JobError) bool) error {
	for je, err := range q.ref.All(ctx, r.APIReader, options) {
		if err != nil {
			return err
		}
		if !f(je) {
			return nil
		}
	}
	return nil
}

// position is the place of an error in the list of a job's errors, which is sorted by
// _jobId and name.
type position struct{ jobID, name string }

// before reports whether the position comes before another one.
func (p position) before(other position) bool {
	return cmp.Or(strings.Compare(p.jobID, other.jobID), strings.Compare(p.name, other.name)) < 0
}

// cached returns an error from the cache; nil if it is not there.
func (r *Reconciler) cached(ctx context.Context, q request, name string) *joberrorv1.JobError {
	je := &joberrorv1.JobError{}
	if err := r.Cached.Get(ctx, q.key(name), je); err != nil {
		return nil
	}
	return je
}

// latestKnown returns the error from the cache if it has changed there since the given
// state, and otherwise that state. If the change was made by this resolution before an
// interruption, or by another one, then nothing is left to write.
func (r *Reconciler) latestKnown(ctx context.Context, q request, je *joberrorv1.JobError) *joberrorv1.JobError {
	if cached := r.cached(ctx, q, je.Name); cached != nil && !isUpTo(cached, je.ResourceVersion) {
		return trim(cached)
	}
	return je
}

// readSnapshot reads a named error exactly as it was when the request was made, or as it is
// now if the store has forgotten that version. It returns nil if there was none.
func (r *Reconciler) readSnapshot(ctx context.Context, q request, name string) (je *joberrorv1.JobError, exact bool, err error) {
	var list joberrorv1.JobErrorList
	raw := &metav1.ListOptions{ResourceVersion: q.snapshot, ResourceVersionMatch: metav1.ResourceVersionMatchExact}
	byName := client.MatchingFields{"metadata.name": name}
	err = r.APIReader.List(ctx, &list, &client.ListOptions{Raw: raw}, client.InNamespace(q.Namespace), byName)
	exact = !isExpired(err)
	if !exact {
		err = r.APIReader.List(ctx, &list, client.InNamespace(q.Namespace), byName)
	}
	if err != nil || len(list.Items) == 0 {
		return nil, exact, err
	}
	return &list.Items[0], exact, nil
}

// isExpired reports whether the store no longer has the version that was asked for.
func isExpired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }
