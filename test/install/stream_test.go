// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// pause is the delay between two requests of a stream.
const pause = 20 * time.Millisecond

// minRequests is the number of requests of each kind that a test needs to be meaningful.
const minRequests = 20

// stream sends requests until it is stopped, and collects the failures. It resolves and
// reads errors through the aggregated API, and reports errors that the webhooks fill in.
type stream struct {
	mu       sync.Mutex
	sent     map[string]int
	failures []string
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// startStream starts a stream in its own namespace.
func startStream(t *testing.T) *stream {
	t.Helper()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	ctx, stop := context.WithCancel(t.Context())
	s := &stream{sent: map[string]int{}, stop: stop}
	path := harness.JobErrorsPath(ns, "job")
	put := func(action string) func(int) string {
		return func(int) string {
			return wantCode(harness.Do(t, cluster.Config(), http.MethodPut, path+"/e/"+action, ""), http.StatusCreated)
		}
	}
	s.repeat(ctx, "resolve", put("resolve"))
	s.repeat(ctx, "unresolve", put("unresolve"))
	s.repeat(ctx, "read", func(int) string {
		return wantCode(harness.Do(t, cluster.Config(), http.MethodGet, path+"?limit=1", ""), http.StatusOK)
	})
	s.repeat(ctx, "report", func(i int) string {
		je := harness.JobError(ns, fmt.Sprintf("reported-%d", i), "job")
		if err := cluster.Client.Create(t.Context(), je); err != nil {
			return err.Error()
		}
		if je.Spec.UserID == "" || je.Labels[joberrorv1.LabelJobName] == "" {
			return fmt.Sprintf("the webhook was not called for %s", client.ObjectKeyFromObject(je))
		}
		return ""
	})
	t.Cleanup(stop)
	return s
}

// repeat calls send again and again. send returns the problem, if any.
func (s *stream) repeat(ctx context.Context, name string, send func(i int) string) {
	s.mu.Lock()
	s.sent[name] = 0
	s.mu.Unlock()
	s.running.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			problem := send(i)
			s.mu.Lock()
			s.sent[name]++
			if problem != "" {
				s.failures = append(s.failures, time.Now().Format("15:04:05.000 ")+name+": "+problem)
			}
			s.mu.Unlock()
			time.Sleep(pause)
		}
	})
}

// waitMore waits until the stream has sent minRequests more requests of each kind.
func (s *stream) waitMore(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	before := maps.Clone(s.sent)
	s.mu.Unlock()
	harness.Eventually(t, func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		for name, n := range s.sent {
			if n < before[name]+minRequests {
				return fmt.Sprintf("sent only %d requests of kind %s", n-before[name], name)
			}
		}
		return ""
	})
}

// end waits for more requests, stops the stream and fails the test if a request failed.
func (s *stream) end(t *testing.T) {
	t.Helper()
	s.waitMore(t)
	s.stop()
	s.running.Wait()
	for i, failure := range s.failures {
		if i == 10 {
			t.Errorf("and %d more", len(s.failures)-i)
			return
		}
		t.Error(failure)
	}
	t.Logf("sent %v", s.sent)
}

// wantCode returns a problem if a response does not have the wanted code.
func wantCode(r harness.Response, want int) string {
	if r.Code != want {
		return fmt.Sprintf("%d: %s", r.Code, r.Body)
	}
	return ""
}
