// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package templates keeps the templates of failed Jobs, so that a Job can be retried after it
// was deleted. Each template is a ControllerRevision, which lasts as long as an error names it.
package templates

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retry"
)

const (
	// maxOfNamespace limits the templates of a namespace.
	maxOfNamespace = 200
	// maxKnown limits the Jobs whose template is known to be kept.
	maxKnown = 10_000
	// maxForbidden limits the namespaces that are remembered because they refused a template,
	// and forbiddenDelay is how long they are left alone: the operator has no right to write
	// it, the quota is used up, or the namespace is being deleted.
	maxForbidden   = 1_000
	forbiddenDelay = 10 * time.Minute
)

// The rights to ControllerRevisions are in config/retry-templates, because an administrator
// may leave them out.

// Store keeps templates.
type Store struct {
	// Cached reads from the manager's cache and writes to the API server.
	Cached client.Client
	// APIReader reads from the API server. The cache has no templates.
	APIReader client.Reader
	Clock     clock.PassiveClock

	// known holds the name of the revision of each Job, by the Job's UID, and used holds when
	// each revision was last returned.
	known, used *lru.Cache
	// forbidden holds when each namespace last refused a template.
	forbidden    *lru.Cache
	logForbidden sync.Once

	mu sync.Mutex
	// counts holds how many templates each namespace has, as of the last sweep and since.
	counts map[string]int
}

// NewStore returns a store.
func NewStore(cached client.Client, apiReader client.Reader, realClock clock.PassiveClock) *Store {
	return &Store{
		Cached: cached, APIReader: apiReader, Clock: realClock,
		known: lru.New(maxKnown), used: lru.New(maxKnown), forbidden: lru.New(maxForbidden), counts: map[string]int{},
	}
}

// Remember keeps the template of a Job in the cache that has failed, and returns the name of its
// revision. The name is empty if the template is not kept: the CronJob has it, the Job or the
// namespace opted out, or it can't be kept. That must not keep the failure from being recorded,
// so Remember logs errors and does not return them.
func (s *Store) Remember(ctx context.Context, job *batchv1.Job) string {
	if !canRetry(job) || capturepolicy.OptedOut(joberrorv1.AnnotationRemember, job) || s.isForbidden(job.Namespace) {
		return ""
	}
	known, found := s.known.Get(job.UID)
	name, _ := known.(string)
	if !found {
		var err error
		name, err = s.keep(ctx, job)
		if apierrors.IsForbidden(err) {
			s.forbid(ctx, job.Namespace, err)
			return ""
		}
		if err != nil {
			log.FromContext(ctx).Error(err, "The template of a failed Job is not kept", "job", job.Name)
			return ""
		}
		s.known.Add(job.UID, name)
	}
	s.used.Add(client.ObjectKey{Namespace: job.Namespace, Name: name}, s.Clock.Now())
	return name
}

// canRetry reports whether a Job could be retried with its template once it is gone. Without
// the Job, nothing would show that something else controls it, or that it selects its pods.
func canRetry(job *batchv1.Job) bool {
	return metav1.GetControllerOf(job) == nil && !ptr.Deref(job.Spec.ManualSelector, false)
}

// keep writes the template of a Job, and returns the name of its revision; empty if the template
// is not kept.
func (s *Store) keep(ctx context.Context, cached *batchv1.Job) (string, error) {
	namespace, err := joblink.Namespace(ctx, s.Cached, cached.Namespace)
	if err != nil {
		return "", fmt.Errorf("read the namespace: %w", err)
	}
	if capturepolicy.OptedOut(joberrorv1.AnnotationRemember, namespace) {
		return "", nil
	}
	job := &batchv1.Job{}
	err = s.APIReader.Get(ctx, client.ObjectKeyFromObject(cached), job)
	if apierrors.IsNotFound(err) || err == nil && job.UID != cached.UID {
		// It was deleted before its failure was recorded.
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read Job %s: %w", cached.Name, err)
	}
	revision, err := retry.Revision(job, namespace.UID)
	if revision == nil || err != nil {
		return "", err
	}
	if !s.hasRoom(job.Namespace) {
		return s.keptAlready(ctx, revision)
	}
	err = s.Cached.Create(ctx, revision)
	if err == nil {
		s.count(job.Namespace, 1)
	}
	if client.IgnoreAlreadyExists(err) != nil {
		return "", fmt.Errorf("create ControllerRevision %s: %w", revision.Name, err)
	}
	return revision.Name, nil
}

// keptAlready returns the name of a revision if it exists, in a namespace that has no room for
// another one.
func (s *Store) keptAlready(ctx context.Context, revision *appsv1.ControllerRevision) (string, error) {
	err := s.APIReader.Get(ctx, client.ObjectKeyFromObject(revision), &appsv1.ControllerRevision{})
	if apierrors.IsNotFound(err) {
		metrics.TemplateNotKept(revision.Namespace)
		return "", nil
	}
	return revision.Name, err
}

// isForbidden reports whether the API server refused a template of a namespace a short time ago.
func (s *Store) isForbidden(namespace string) bool {
	at, found := s.forbidden.Get(namespace)
	return found && s.Clock.Since(at.(time.Time)) < forbiddenDelay
}

// forbid keeps no template of a namespace for a while. It logs once, because every attempt fails
// in the same way.
func (s *Store) forbid(ctx context.Context, namespace string, err error) {
	s.logForbidden.Do(func() {
		log.FromContext(ctx).Info("The templates of failed Jobs are not kept: a Job that is deleted can't be retried", "reason", err.Error())
	})
	s.forbidden.Add(namespace, s.Clock.Now())
}

func (s *Store) hasRoom(namespace string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[namespace] < maxOfNamespace
}

func (s *Store) count(namespace string, change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[namespace] += change
}
