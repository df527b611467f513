// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// maxGets limits how many Jobs are read one by one. If there are more, they are listed.
	maxGets = 20
	// maxLevels limits the owners above a Job.
	maxLevels = 4
	// maxOwners limits the owners that are read, so that a list stays fast.
	maxOwners = 100
	// pageSize is how many Jobs one request lists.
	pageSize = 500
	// annotationRelease is the name of the Helm release that an object belongs to.
	annotationRelease = "meta.helm.sh/release-name"
)

// Finder finds workloads. It reads metadata only, and skips objects that are gone or that the
// user may not read.
type Finder struct {
	reader client.Reader
	jobs   map[types.NamespacedName]*metav1.PartialObjectMetadata
	names  map[types.UID]string
	roots  map[types.UID]Workload
	owners int
	// unread says why an owner could not be read, for the first of them.
	unread error
}

// NewFinder returns a finder that has read nothing.
func NewFinder(reader client.Reader) *Finder {
	return &Finder{
		reader: reader, jobs: map[types.NamespacedName]*metav1.PartialObjectMetadata{},
		names: map[types.UID]string{}, roots: map[types.UID]Workload{},
	}
}

// Read reads the Jobs for which Of will be called.
func (f *Finder) Read(ctx context.Context, jobs []Job) error {
	missing := map[types.NamespacedName]bool{}
	namespaces := map[string]bool{}
	for _, job := range jobs {
		f.names[job.UID] = job.Name
		if _, known := job.known(); known {
			continue
		}
		missing[types.NamespacedName{Namespace: job.Namespace, Name: job.Name}] = true
		namespaces[job.Namespace] = true
	}
	if len(missing) > maxGets {
		for namespace := range namespaces {
			if err := f.list(ctx, namespace); err != nil {
				return err
			}
		}
		return nil
	}
	for key := range missing {
		job := object(batchv1.SchemeGroupVersion.WithKind("Job"))
		err := f.reader.Get(ctx, key, job)
		switch {
		case isOutOfReach(err):
			if apierrors.IsForbidden(err) && len(namespaces) == 1 {
				return nil
			}
		case err != nil:
			return fmt.Errorf("read Job %s: %w", key.Name, err)
		default:
			f.remember(job)
		}
	}
	return nil
}

func (f *Finder) list(ctx context.Context, namespace string) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("JobList"))
	for {
		err := f.reader.List(ctx, list, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(list.Continue))
		if isOutOfReach(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list the Jobs of namespace %s: %w", namespace, err)
		}
		for i := range list.Items {
			f.remember(&list.Items[i])
		}
		if list.Continue == "" {
			return nil
		}
	}
}

func (f *Finder) remember(job *metav1.PartialObjectMetadata) {
	f.jobs[client.ObjectKeyFromObject(job)] = job
	f.names[job.UID] = job.Name
}

// Of returns the workload of a Job.
func (f *Finder) Of(ctx context.Context, job Job) (Workload, error) {
	if known, ok := job.known(); ok {
		return known, nil
	}
	object := f.jobs[types.NamespacedName{Namespace: job.Namespace, Name: job.Name}]
	if object != nil && (job.UID == "" || job.UID == object.UID) {
		if owner := metav1.GetControllerOf(object); owner != nil {
			return f.root(ctx, job.Namespace, *owner, 1)
		}
		if release := object.Annotations[annotationRelease]; release != "" {
			return Workload{job.Namespace, "helm", release}, nil
		}
	}
	name := job.Name
	if root := f.names[job.Root]; job.Root != "" && root != "" {
		name = root
	}
	return Workload{job.Namespace, "job", name}, nil
}

// root follows the controlling owners up from this one.
func (f *Finder) root(ctx context.Context, namespace string, owner metav1.OwnerReference, level int) (Workload, error) {
	if known, ok := f.roots[owner.UID]; ok {
		return known, nil
	}
	found := Workload{namespace, kind(owner.Kind), owner.Name}
	// A CronJob is what people know, whatever created it.
	if owner.Kind != "CronJob" && level < maxLevels && f.owners < maxOwners {
		f.owners++
		above, err := f.above(ctx, namespace, owner)
		if err != nil {
			return Workload{}, err
		}
		if above != nil {
			if found, err = f.root(ctx, namespace, *above, level+1); err != nil {
				return Workload{}, err
			}
		}
	}
	f.roots[owner.UID] = found
	return found, nil
}

// Unread says why an owner could not be read, or returns nil. Its Jobs are grouped by the last
// owner that is known. An owner that is gone or that the user may not read doesn't count.
func (f *Finder) Unread() error { return f.unread }

// above returns the controlling owner of an owner, or nil if it has none or cannot be read. Its API
// may be what is broken, so only the end of ctx is an error.
func (f *Finder) above(ctx context.Context, namespace string, owner metav1.OwnerReference) (*metav1.OwnerReference, error) {
	read := object(schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind))
	err := f.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: owner.Name}, read)
	switch {
	case isOutOfReach(err):
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		f.unread = cmp.Or(f.unread, fmt.Errorf("read %s %s: %w", owner.Kind, owner.Name, err))
		return nil, nil
	case read.UID != owner.UID:
		return nil, nil
	}
	return metav1.GetControllerOf(read), nil
}

func object(gvk schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(gvk)
	return o
}

// isOutOfReach reports whether the object is gone, its kind is not served, or the user may not
// read it.
func isOutOfReach(err error) bool {
	var partial *discovery.ErrGroupDiscoveryFailed
	return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || meta.IsNoMatchError(err) || errors.As(err, &partial)
}
