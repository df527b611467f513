// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/apiserver/pkg/endpoints/request"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// take acquires memory, or fails the test.
func take(t *testing.T, b *budget, namespace string, bytes int64) func() {
	t.Helper()
	release, err := b.acquire(t.Context(), namespace, bytes)
	if err != nil {
		t.Fatalf("%d bytes for %s: %v", bytes, namespace, err)
	}
	return release
}

// expectRefused checks that memory is refused with a 429 that says this.
func expectRefused(t *testing.T, b *budget, namespace string, bytes int64, want string) {
	t.Helper()
	_, err := b.acquire(t.Context(), namespace, bytes)
	status := statusOf(t, err)
	if status.Code != http.StatusTooManyRequests || status.Details.RetryAfterSeconds != 1 || !strings.Contains(status.Message, want) {
		t.Errorf("status = %+v, want 429 after 1 s with %q", status, want)
	}
}

func TestOneNamespaceLeavesHalfTheMemory(t *testing.T) {
	t.Parallel()
	b := newBudget(time.Millisecond)
	release := take(t, b, "busy", memoryOfNamespace)
	expectRefused(t, b, "busy", 1, "64 MiB")
	other := take(t, b, "other", memoryOfNamespace)
	expectRefused(t, b, "third", 1, "128 MiB")
	release()
	release()
	take(t, b, "third", memoryOfNamespace)
	expectRefused(t, b, "busy", 1, "128 MiB")
	other()
	take(t, b, "busy", memoryOfNamespace)
}

func TestALargeRequestTakesItsNamespacesShare(t *testing.T) {
	t.Parallel()
	b := newBudget(time.Millisecond)
	take(t, b, "busy", 10*memoryOfAll)
	take(t, b, "other", 1)
}

func TestOneNamespaceHasFewRequests(t *testing.T) {
	t.Parallel()
	b := newBudget(time.Millisecond)
	var release func()
	for range requestsOfNamespace {
		release = take(t, b, "busy", 1)
	}
	expectRefused(t, b, "busy", 1, "64 requests")
	take(t, b, "other", 1)
	release()
	take(t, b, "busy", 1)
}

func TestARequestWaitsForMemory(t *testing.T) {
	t.Parallel()
	b := newBudget(time.Hour)
	release := take(t, b, "busy", memoryOfNamespace)
	acquired := make(chan error)
	go func() {
		_, err := b.acquire(t.Context(), "busy", 1)
		acquired <- err
	}()
	release()
	if err := <-acquired; err != nil {
		t.Error(err)
	}
}

func TestABudgetForgetsIdleNamespaces(t *testing.T) {
	t.Parallel()
	b := newBudget(time.Millisecond)
	release := take(t, b, "busy", memoryOfNamespace)
	expectRefused(t, b, "busy", 1, "64 MiB")
	release()
	if len(b.namespaces) > 0 {
		t.Errorf("namespaces = %v, want none", b.namespaces)
	}
}

// serve sends a request about jobs through the budget.
func serve(s *Server, r *http.Request, info request.RequestInfo, handler http.HandlerFunc) *httptest.ResponseRecorder {
	info.IsResourceRequest, info.APIGroup, info.Resource, info.Namespace = true, resolvev1.GroupVersion.Group, "jobs", "team"
	w := httptest.NewRecorder()
	s.withBudget(handler).ServeHTTP(w, r.WithContext(request.WithRequestInfo(r.Context(), &info)))
	return w
}

func TestARefusedRequestSaysWhenToRetry(t *testing.T) {
	t.Parallel()
	s := &Server{budget: newBudget(time.Millisecond), summaries: emptySummaries(nil)}
	take(t, s.budget, "team", memoryOfNamespace)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	w := serve(s, r, request.RequestInfo{}, func(http.ResponseWriter, *http.Request) { t.Error("the request was served") })
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"kind":"Status"`) {
		t.Errorf("response = %d %v %s, want 429 with Retry-After: 1 and a Status", w.Code, w.Header(), w.Body)
	}
}

func TestAWaitingRequestHoldsNoMemory(t *testing.T) {
	t.Parallel()
	s := &Server{budget: newBudget(time.Millisecond), summaries: emptySummaries(nil)}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/", strings.NewReader(strings.Repeat(" ", maxBodyBytes)))
	w := serve(s, r, request.RequestInfo{Subresource: "joberrors"}, func(_ http.ResponseWriter, r *http.Request) {
		if len(s.budget.namespaces) != 1 {
			t.Error("a request that is served holds no memory")
		}
		releaseMemory(r.Context())
		if len(s.budget.namespaces) != 0 {
			t.Error("a request that waits holds memory")
		}
	})
	if w.Code != http.StatusOK {
		t.Errorf("code = %d, want 200", w.Code)
	}
	releaseMemory(context.Background())
}

func TestMemoryOfARequest(t *testing.T) {
	t.Parallel()
	s := &Server{summaries: emptySummaries(nil)}
	je := newError("e", "late")
	je.Namespace = "team"
	s.summaries.OnAdd(&je, true)
	for name, tc := range map[string]struct {
		method, subresource, query string
		body, want                 int64
	}{
		"the summaries":               {method: http.MethodGet, want: memoryOfRequest + memoryOfSummary},
		"a list":                      {method: http.MethodGet, subresource: "joberrors", want: 8 << 20},
		"a page of the archive":       {method: http.MethodGet, subresource: "joberrors", query: "?archived=true", want: 24 << 20},
		"a resolve without a body":    {method: http.MethodPut, subresource: "joberrors", want: 4 << 20},
		"a resolve with a large body": {method: http.MethodPut, subresource: "joberrors", body: 4 << 20, want: 20 << 20},
		"a report":                    {method: http.MethodPost, subresource: "joberrors", body: 1 << 20, want: 6 << 20},
		"a report of unknown length":  {method: http.MethodPost, subresource: "joberrors", body: -1, want: 18 << 20},
		"a body that will be refused": {method: http.MethodPost, subresource: "joberrors", body: 1 << 40, want: 18 << 20},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, "/"+tc.query, nil)
		r.ContentLength = tc.body
		if got := s.memoryOf(r, &request.RequestInfo{Namespace: "team", Subresource: tc.subresource}); got != tc.want {
			t.Errorf("%s takes %d bytes, want %d", name, got, tc.want)
		}
	}
}
