// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// notified is an alert in a notification.
type notified struct {
	Status              string
	Labels, Annotations map[string]string
	StartsAt            time.Time
}

// receiver is a webhook that keeps the alerts of all notifications in the order in which they
// came.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	alerts []notified
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var body struct{ Alerts []notified }
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			t.Errorf("decode a notification: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.alerts = append(r.alerts, body.Alerts...)
	}))
	t.Cleanup(r.Close)
	return r
}

// of returns the alerts of this name and workload, in the order in which they came.
func (r *receiver) of(alert, workload string) []notified {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.alerts), func(n notified) bool {
		return n.Labels["alertname"] != alert || n.Labels["workload"] != workload
	})
}

// states returns the states of alerts without repetitions. A flap would be a second "firing".
func states(alerts []notified) []string {
	var all []string
	for _, alert := range alerts {
		all = append(all, alert.Status)
	}
	return slices.Compact(all)
}
