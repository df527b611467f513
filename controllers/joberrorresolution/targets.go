// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"cmp"
	"context"
	"iter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// trim drops the fields of an error that are not needed to set it: a request may have
// very many targets.
func trim(je *joberrorv1.JobError) *joberrorv1.JobError {
	trimmed := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: je.Spec.Resolved}}
	trimmed.Namespace, trimmed.Name, trimmed.UID = je.Namespace, je.Name, je.UID
	trimmed.ResourceVersion, trimmed.Generation = je.ResourceVersion, je.Generation
	attribution.CopyMark(je, trimmed)
	return trimmed
}

// targets returns the errors that the request asks to set.
func (r *Reconciler) targets(ctx context.Context, q request) ([]target, error) {
	if names := q.Spec.Errors; len(names) > 0 {
		targets := make([]target, len(names))
		for i, name := range names {
			targets[i] = target{name: name}
		}
		return targets, nil
	}
	return r.allTargets(ctx, q)
}

// allTargets returns the job's errors that were not as requested when the request was
// made, neither more nor fewer, since it reads the store at that resource version. The
// store forgets old versions after some minutes: then the errors' own timestamps and
// marks decide.
func (r *Reconciler) allTargets(ctx context.Context, q request) ([]target, error) {
	resolved := q.Spec.WantsResolved()
	unlike := !resolved
	all := q.ref.All(ctx, r.APIReader, jobref.ListOptions{Resolved: &unlike, ResourceVersion: q.snapshot})
	targets, err := collect(all, func(*joberrorv1.JobError) bool { return true })
	if !isExpired(err) {
		return targets, err
	}
	return collect(q.ref.All(ctx, r.APIReader, jobref.ListOptions{}), func(je *joberrorv1.JobError) bool {
		pending := je.Spec.Resolved != resolved && !je.CreationTimestamp.After(q.CreationTimestamp.Time)
		return pending || attribution.MarkOf(je).Resolution == q.id()
	})
}

func collect(all iter.Seq2[*joberrorv1.JobError, error], wanted func(*joberrorv1.JobError) bool) ([]target, error) {
	var targets []target
	for je, err := range all {
		if err != nil {
			return nil, err
		}
		if wanted(je) {
			targets = append(targets, target{name: je.Name, snapshot: trim(je)})
		}
	}
	return targets, nil
}

// cachedSnapshot returns a named error from the cache if it has not changed there since
// the request was made; otherwise nil. A write finds out whether the cache is behind.
func (r *Reconciler) cachedSnapshot(ctx context.Context, q request, name string) *joberrorv1.JobError {
	je := &joberrorv1.JobError{}
	if err := r.Cached.Get(ctx, q.key(name), je); err != nil {
		return nil
	}
	if order, err := resourceversion.CompareResourceVersion(je.ResourceVersion, q.snapshot); err != nil || order > 0 {
		return nil
	}
	return je
}

// readSnapshot reads a named error as it was when the request was made, or as it is now
// if the store has forgotten that version; nil if there was none.
func (r *Reconciler) readSnapshot(ctx context.Context, q request, name string) (*joberrorv1.JobError, error) {
	var list joberrorv1.JobErrorList
	raw := &metav1.ListOptions{ResourceVersion: q.snapshot, ResourceVersionMatch: metav1.ResourceVersionMatchExact}
	byName := client.MatchingFields{"metadata.name": name}
	err := r.APIReader.List(ctx, &list, &client.ListOptions{Raw: raw}, client.InNamespace(q.Namespace), byName)
	if isExpired(err) {
		err = r.APIReader.List(ctx, &list, client.InNamespace(q.Namespace), byName)
	}
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

// isExpired reports whether the store no longer has the version that was asked for.
func isExpired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }
