// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/informers"
)

const (
	// sweepInterval is the time between two looks for templates that no error names.
	sweepInterval = 2 * time.Minute
	// sweepPage is how many templates are read at a time.
	sweepPage = 500
)

// Sweeper deletes templates that no error names any more. It runs on the leader.
type Sweeper struct {
	Store *Store
	// Errors lists the errors in the cache.
	Errors informers.Lister[*joberrorv1.JobError]
}

// Start sweeps until the context ends. The first sweep also counts the templates that exist.
func (w *Sweeper) Start(ctx context.Context) error {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		if err := w.sweep(ctx); err != nil && ctx.Err() == nil && !apierrors.IsForbidden(err) {
			log.FromContext(ctx).Error(err, "Templates that no error names are not deleted yet")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// NeedLeaderElection returns true: one replica sweeps.
func (w *Sweeper) NeedLeaderElection() bool { return true }

// sweep deletes the templates that no error names. It leaves those that are younger, or were
// used later, than an interval ago: their error may not have been recorded yet.
func (w *Sweeper) sweep(ctx context.Context) error {
	named := map[client.ObjectKey]bool{}
	err := w.Errors(ctx, metav1.NamespaceAll, func(je *joberrorv1.JobError) {
		if name := je.Annotations[joberrorv1.AnnotationTemplate]; name != "" {
			named[client.ObjectKey{Namespace: je.Namespace, Name: name}] = true
		}
	})
	if err != nil {
		return fmt.Errorf("list JobErrors: %w", err)
	}
	counts, deleted := map[string]int{}, 0
	defer func() {
		if deleted > 0 {
			w.Store.forget()
		}
	}()
	list := &metav1.PartialObjectMetadataList{}
	for page := ""; ; page = list.Continue {
		list = &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ControllerRevisionList"))
		err := w.Store.APIReader.List(ctx, list, client.HasLabels{joberrorv1.LabelTemplate}, client.Limit(sweepPage), client.Continue(page))
		if err != nil {
			return fmt.Errorf("list ControllerRevisions: %w", err)
		}
		for i := range list.Items {
			revision := &list.Items[i]
			key := client.ObjectKeyFromObject(revision)
			young := w.Store.Clock.Since(revision.CreationTimestamp.Time) < sweepInterval
			if young || named[key] || w.Store.usedLately(key) {
				counts[revision.Namespace]++
				continue
			}
			if err := w.delete(ctx, revision); err != nil {
				return err
			}
			deleted++
		}
		if list.Continue == "" {
			break
		}
	}
	w.Store.reset(counts)
	if deleted > 0 {
		log.FromContext(ctx).Info("Deleted templates that no error names", "count", deleted)
	}
	return nil
}

func (w *Sweeper) delete(ctx context.Context, revision *metav1.PartialObjectMetadata) error {
	uid := revision.UID
	if err := w.Store.Cached.Delete(ctx, revision, client.Preconditions{UID: &uid}); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete ControllerRevision %s: %w", revision.Name, err)
	}
	return nil
}

// reset replaces the counts.
func (s *Store) reset(counts map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = counts
}

// forget makes each Job that fails again write its template again.
func (s *Store) forget() { s.known.Clear() }

// usedLately reports whether Remember has returned a revision since the last sweep.
func (s *Store) usedLately(key client.ObjectKey) bool {
	at, found := s.used.Get(key)
	return found && s.Clock.Since(at.(time.Time)) < sweepInterval
}
