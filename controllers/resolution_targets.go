// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
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

// target is one error that an entry is about.
type target struct {
	name string
	// found is the error as it was when the request was made; nil for one
	// that the request names and that is still to be read.
	found *joberrorv1.JobError
}

// slim is of an error what is needed to set it: an entry may be about very many.
func slim(je *joberrorv1.JobError) *joberrorv1.JobError {
	kept := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: je.Spec.Resolved}}
	kept.Namespace, kept.Name, kept.UID = je.Namespace, je.Name, je.UID
	kept.ResourceVersion, kept.Generation = je.ResourceVersion, je.Generation
	attribution.Carry(je, kept)
	return kept
}

// atSnapshot is a named error as it was when the request was made, where the
// cache can tell: unless the error has changed since, which a write finds out,
// it is as the cache has it from before.
func (r *JobErrorResolutionReconciler) atSnapshot(ctx context.Context, entry *joberrorv1.JobErrorResolution, name, snapshot string) *joberrorv1.JobError {
	je := &joberrorv1.JobError{}
	if err := r.cached.Get(ctx, types.NamespacedName{Namespace: entry.Namespace, Name: name}, je); err != nil {
		return nil
	}
	if order, err := resourceversion.CompareResourceVersion(je.ResourceVersion, snapshot); err != nil || order > 0 {
		return nil
	}
	return je
}

// read finds a named error as it was when the request was made, or as it is
// where the store has forgotten that; nil where there was none.
func (r *JobErrorResolutionReconciler) read(ctx context.Context, entry *joberrorv1.JobErrorResolution, name, snapshot string) (*joberrorv1.JobError, error) {
	var list joberrorv1.JobErrorList
	raw := &metav1.ListOptions{ResourceVersion: snapshot, ResourceVersionMatch: metav1.ResourceVersionMatchExact}
	byName := client.MatchingFields{"metadata.name": name}
	err := r.live.List(ctx, &list, &client.ListOptions{Raw: raw}, client.InNamespace(entry.Namespace), byName)
	if forgotten(err) {
		err = r.live.List(ctx, &list, client.InNamespace(entry.Namespace), byName)
	}
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

// forgotten tells whether the store no longer has the version asked for.
func forgotten(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// targets returns the errors that an entry is about.
func (r *JobErrorResolutionReconciler) targets(ctx context.Context, entry *joberrorv1.JobErrorResolution, ref jobref.Ref, snapshot string) ([]target, error) {
	if names := entry.Spec.Errors; len(names) > 0 {
		targets := make([]target, len(names))
		for i, name := range names {
			targets[i] = target{name: name}
		}
		return targets, nil
	}
	return r.atRequest(ctx, entry, ref, snapshot)
}

// atRequest finds the job's errors that were not as asked when the entry was
// created: neither more nor fewer, since the store is read as it was at that
// very version. The store forgets its past after some minutes; an entry that
// had to wait that long goes by what the errors tell of themselves.
func (r *JobErrorResolutionReconciler) atRequest(ctx context.Context, entry *joberrorv1.JobErrorResolution, ref jobref.Ref, snapshot string) ([]target, error) {
	wants := entry.Spec.WantsResolved()
	not := !wants
	found, err := collect(ref.All(ctx, r.live, jobref.ListOptions{Resolved: &not, ResourceVersion: snapshot}), func(*joberrorv1.JobError) bool { return true })
	if !forgotten(err) {
		return found, err
	}
	return collect(ref.All(ctx, r.live, jobref.ListOptions{}), func(je *joberrorv1.JobError) bool {
		open := je.Spec.Resolved != wants && !je.CreationTimestamp.After(entry.CreationTimestamp.Time)
		return open || attribution.Of(je).Resolution == resolutionOf(entry)
	})
}

func collect(all iter.Seq2[*joberrorv1.JobError, error], wanted func(*joberrorv1.JobError) bool) ([]target, error) {
	var targets []target
	for je, err := range all {
		if err != nil {
			return nil, err
		}
		if wanted(je) {
			targets = append(targets, target{name: je.Name, found: slim(je)})
		}
	}
	return targets, nil
}
