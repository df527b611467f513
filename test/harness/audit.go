// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bufio"
	"encoding/json"
	"iter"
	"os"
	"slices"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// Audit yields the write requests that the API server has answered so far.
func (c *Cluster) Audit(t testing.TB) iter.Seq[auditv1.Event] {
	t.Helper()
	return func(yield func(auditv1.Event) bool) {
		for event, err := range c.auditEvents() {
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains([]string{"get", "list", "watch"}, event.Verb) && !yield(event) {
				return
			}
		}
	}
}

// auditEvents yields the events in the audit log: all writes, and the reads of the operator.
func (c *Cluster) auditEvents() iter.Seq2[auditv1.Event, error] {
	return func(yield func(auditv1.Event, error) bool) {
		file, err := os.Open(c.AuditLog())
		if err != nil {
			yield(auditv1.Event{}, err)
			return
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var event auditv1.Event
			if err := json.Unmarshal(lines.Bytes(), &event); !yield(event, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(auditv1.Event{}, err)
		}
	}
}
