// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/metrics"
)

// Limits of the memory that requests in progress may take together. They hold for one
// replica.
const (
	// memoryOfAll is shared by all requests, and memoryOfNamespace by those about one
	// namespace, so that one namespace leaves half of it to the others.
	memoryOfAll       = 128 << 20
	memoryOfNamespace = memoryOfAll / 2
	// requestsOfNamespace limits the requests about one namespace that are in progress or
	// wait for memory. A request that waits for its resolution does not count.
	requestsOfNamespace = 64
	// memoryTimeout is how long a request waits for memory.
	memoryTimeout = time.Second
)

// What a request takes, at most.
const (
	// memoryOfRequest is for a request itself.
	memoryOfRequest = 2 << 20
	// memoryOfPage is for a page of errors as it is read: the response, and the errors in it.
	memoryOfPage = 4 << 20
	// memoryOfArchive is for a page of the archive: the parts of its files that are read, the
	// errors in them, and the response.
	memoryOfArchive = 24 << 20
	// memoryOfSummary is for the summary of one job, with its message and its JSON.
	memoryOfSummary = 2 << 10
	// copiesOfBody counts the copies of a body: as it was sent, parsed, stored and returned.
	copiesOfBody = 4
)

// Reasons to refuse a request, for the metric.
const (
	refusedMemory    = "Memory"
	refusedNamespace = "Namespace"
	refusedArchive   = "Archive"
)

// budget limits the memory that requests take together. A request takes its share before its
// body is read.
type budget struct {
	memory  *semaphore.Weighted
	timeout time.Duration

	mu         sync.Mutex
	namespaces map[string]*namespaceBudget
}

// namespaceBudget limits the memory of the requests about one namespace.
type namespaceBudget struct {
	memory   *semaphore.Weighted
	requests int
}

func newBudget(timeout time.Duration) *budget {
	metrics.ExportRefusals(refusedMemory, refusedNamespace, refusedArchive)
	return &budget{memory: semaphore.NewWeighted(memoryOfAll), timeout: timeout, namespaces: map[string]*namespaceBudget{}}
}

// acquire takes memory for a request, and returns a function that gives it back and may be
// called more than once. It waits for other requests for a moment, and then returns a 429.
func (b *budget) acquire(ctx context.Context, namespace string, bytes int64) (release func(), err error) {
	bytes = min(bytes, memoryOfNamespace)
	of := b.enter(namespace)
	if of == nil {
		return nil, refuse(refusedNamespace, fmt.Sprintf("a replica of the operator serves at most %d requests about one namespace at the same time", requestsOfNamespace))
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	if of.memory.Acquire(ctx, bytes) != nil {
		b.leave(namespace)
		return nil, refuse(refusedNamespace, fmt.Sprintf("requests about one namespace may take at most %d MiB of memory in a replica of the operator", memoryOfNamespace>>20))
	}
	if b.memory.Acquire(ctx, bytes) != nil {
		of.memory.Release(bytes)
		b.leave(namespace)
		return nil, refuse(refusedMemory, fmt.Sprintf("requests may take at most %d MiB of memory in a replica of the operator", memoryOfAll>>20))
	}
	metrics.ReserveMemory(bytes)
	return sync.OnceFunc(func() {
		metrics.ReserveMemory(-bytes)
		b.memory.Release(bytes)
		of.memory.Release(bytes)
		b.leave(namespace)
	}), nil
}

// refuse returns the error for a request that finds no memory.
func refuse(reason, rule string) error {
	metrics.RequestRefused(reason)
	return apierrors.NewTooManyRequests("too many requests at the same time: "+rule, 1)
}

// enter counts a request, and returns the budget of its namespace; nil if too many requests
// are in progress.
func (b *budget) enter(namespace string) *namespaceBudget {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.namespaces[namespace]
	if of == nil {
		of = &namespaceBudget{memory: semaphore.NewWeighted(memoryOfNamespace)}
		b.namespaces[namespace] = of
	}
	if of.requests >= requestsOfNamespace {
		return nil
	}
	of.requests++
	return of
}

func (b *budget) leave(namespace string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.namespaces[namespace]
	if of.requests--; of.requests == 0 {
		delete(b.namespaces, namespace)
	}
}

type reservationKey struct{}

// releaseMemory gives back the memory of a request that has nothing left to do but to wait.
func releaseMemory(ctx context.Context) {
	if release, ok := ctx.Value(reservationKey{}).(func()); ok {
		release()
	}
}

// withBudget reserves memory for each request about jobs while a handler serves it.
func (s *Server) withBudget(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := request.RequestInfoFrom(r.Context())
		if !ok || !isAboutJobs(info) {
			handler.ServeHTTP(w, r)
			return
		}
		release, err := s.budget.acquire(r.Context(), info.Namespace, s.memoryOf(r, info))
		if err != nil {
			responsewriters.ErrorNegotiated(err, codecs, resolvev1.GroupVersion, w, r)
			return
		}
		defer release()
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), reservationKey{}, release)))
	})
}

func isAboutJobs(info *request.RequestInfo) bool {
	return info.IsResourceRequest && info.APIGroup == resolvev1.GroupVersion.Group && info.Resource == "jobs"
}

// memoryOf returns how much memory a request takes at most.
func (s *Server) memoryOf(r *http.Request, info *request.RequestInfo) int64 {
	body := r.ContentLength
	if body < 0 || body > maxBodyBytes {
		body = maxBodyBytes
	}
	switch {
	case info.Subresource == "":
		return memoryOfRequest + memoryOfSummary*int64(s.summaries.count(info.Namespace))
	case wantsArchive(r):
		return memoryOfArchive
	case r.Method == http.MethodGet:
		return memoryOfPage + maxAnswerBytes
	case r.Method == http.MethodPut:
		return memoryOfPage + copiesOfBody*body
	default:
		return memoryOfRequest + copiesOfBody*body
	}
}
