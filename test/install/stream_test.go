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

// pause is how long a stream waits from one request to the next.
const pause = 20 * time.Millisecond

// enough is how many requests of a kind have to be sent for a test to say
// something.
const enough = 20

// stream sends requests until it is stopped and keeps what went wrong: resolves
// and reads through the aggregated API, and reports that the webhooks complete.
type stream struct {
	mu       sync.Mutex
	sent     map[string]int
	failures []string
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// startStream starts one in a namespace of its own.
func startStream(t *testing.T) *stream {
	t.Helper()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	ctx, stop := context.WithCancel(t.Context())
	s := &stream{sent: map[string]int{}, stop: stop}
	path := harness.JobErrors(ns, "job")
	put := func(way string) func(int) string {
		return func(int) string {
			return answered(harness.Do(t, cluster.Config(), http.MethodPut, path+"/e/"+way, ""), http.StatusCreated)
		}
	}
	s.repeat(ctx, "resolve", put("resolve"))
	s.repeat(ctx, "unresolve", put("unresolve"))
	s.repeat(ctx, "read", func(int) string {
		return answered(harness.Do(t, cluster.Config(), http.MethodGet, path+"?limit=1", ""), http.StatusOK)
	})
	s.repeat(ctx, "report", func(i int) string {
		je := harness.JobError(ns, fmt.Sprintf("reported-%d", i), "job")
		if err := cluster.Client.Create(t.Context(), je); err != nil {
			return err.Error()
		}
		if je.Spec.UserID == "" || je.Labels[joberrorv1.LabelJobName] == "" {
			return fmt.Sprintf("the webhook was not asked about %s", client.ObjectKeyFromObject(je))
		}
		return ""
	})
	t.Cleanup(stop)
	return s
}

// repeat calls f, which returns what went wrong, again and again.
func (s *stream) repeat(ctx context.Context, name string, f func(i int) string) {
	s.mu.Lock()
	s.sent[name] = 0
	s.mu.Unlock()
	s.running.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			problem := f(i)
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

// goOn lets the stream run until each kind of request was sent often since now.
func (s *stream) goOn(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	before := maps.Clone(s.sent)
	s.mu.Unlock()
	harness.Eventually(t, func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		for name, n := range s.sent {
			if n < before[name]+enough {
				return "there were few requests to " + name
			}
		}
		return ""
	})
}

// end lets the stream go on for a while, stops it and fails the test where a
// request failed.
func (s *stream) end(t *testing.T) {
	t.Helper()
	s.goOn(t)
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

func answered(r harness.Response, want int) string {
	if r.Code != want {
		return fmt.Sprintf("%d: %s", r.Code, r.Body)
	}
	return ""
}
