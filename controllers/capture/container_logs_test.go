// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"joberror.io/operator/internal/failure"
)

// kubelet answers the requests for logs. It needs no network, so that time is fake.
type kubelet func(*http.Request) (*http.Response, error)

func (k kubelet) RoundTrip(r *http.Request) (*http.Response, error) { return k(r) }

// silent is a node that does not answer.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func answering(text string) kubelet {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

// newLogs returns the logs of a kubelet's containers. It sends the name of each Job whose log
// is done.
func newLogs(t *testing.T, k kubelet) (*containerLogs, chan types.NamespacedName) {
	t.Helper()
	core, err := typedcorev1.NewForConfigAndClient(&rest.Config{Host: "http://kubelet", QPS: -1}, &http.Client{Transport: k})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan types.NamespacedName, 2*maxLogs)
	return newContainerLogs(core, 3, func(key types.NamespacedName) { done <- key }), done
}

// silentExit returns a failure that left no message, and where pending holds it.
func silentExit(i int) (place, failure.Failure) {
	f := failure.Failure{Key: "exit", Occurrence: fmt.Sprint(i), Log: &failure.Log{Pod: "p", Container: "main"}}
	return place{backup, idOf("a", f)}, f
}

func TestLogIsReadOnceAndOutsideTheWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int32
		logs, done := newLogs(t, func(r *http.Request) (*http.Response, error) {
			reads.Add(1)
			return answering("no such table\n")(r)
		})
		at, f := silentExit(1)
		if _, ready := logs.message(t.Context(), at, f); ready {
			t.Error("a log is ready before it is read")
		}
		if key := <-done; key != backup {
			t.Errorf("the log of %s is done, want %s", key, backup)
		}
		for range 2 {
			if text, ready := logs.message(t.Context(), at, f); !ready || text != "no such table" {
				t.Errorf("message = %q, %t", text, ready)
			}
		}
		logs.forget(at)
		if reads.Load() != 1 || logs.messages.Len() != 0 {
			t.Errorf("the log was read %d times, and %d messages are held", reads.Load(), logs.messages.Len())
		}
	})
}

// More logs wait than a node that does not answer can be asked for in time. Each record goes
// on without its log.
func TestNoRecordWaitsLongForASilentNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reading, most atomic.Int32
		logs, done := newLogs(t, func(r *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), reading.Add(1)))
			defer reading.Add(-1)
			return silent(r)
		})
		start := time.Now()
		for i := range maxLogs + 1 {
			at, f := silentExit(i)
			if _, ready := logs.message(t.Context(), at, f); ready != (i == maxLogs) {
				t.Errorf("log %d is ready: %t; want only the one over the limit, without a message", i, ready)
			}
		}
		for range maxLogs {
			<-done
		}
		if took := time.Since(start); took > logTurn+logTimeout {
			t.Errorf("it took %s, want at most %s", took, logTurn+logTimeout)
		}
		at, f := silentExit(0)
		if text, ready := logs.message(t.Context(), at, f); !ready || text != "" || most.Load() != maxLogReads || len(logs.reading) > 0 {
			t.Errorf("message = %q, %t; at most %d logs were read at a time, and %d still are", text, ready, most.Load(), len(logs.reading))
		}
	})
}
