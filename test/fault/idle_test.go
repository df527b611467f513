// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"strings"
	"testing"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

const (
	// idleTime is how long an idle operator must write nothing.
	idleTime = time.Minute
	// settlingTime without a write shows that the last work is done. It is longer than
	// the 10 s after which the Events library retries. The library sends the second Event
	// of a series at the same time as the first, and the API server rejects the second
	// if it arrives first.
	settlingTime = 15 * time.Second
)

func TestAnIdleOperatorWritesNothing(t *testing.T) {
	ns := cluster.Namespace(t)
	operate(t, "--leader-elect")
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for _, name := range []string{"a", "b", "c"} {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, "job"))
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "some", "job", "a"))
	cluster.WaitCompleted(t, ns, "some")
	cluster.WaitFor(t, ns, "a", func(je *joberrorv1.JobError) bool { return je.Status.Resolution == "some" })
	for _, name := range []string{"b", "c"} {
		cluster.WaitObserved(t, ns, name)
	}
	// Events are sent in the background.
	harness.Eventually(t, func() string {
		if out, err := cluster.Run(t.Context(), nil, "events", "-n", ns, "--for=job/job"); err != nil || !strings.Contains(out, "ErrorsResolved") {
			return "the Job's Events are not there yet"
		}
		count := len(operatorWrites(t))
		time.Sleep(settlingTime)
		if len(operatorWrites(t)) > count {
			return "the operator still sends Events"
		}
		return ""
	})
	before := len(operatorWrites(t))
	if before == 0 {
		t.Fatal("the audit log has no writes of the operator, so nothing is tested")
	}
	time.Sleep(idleTime)
	if writes := operatorWrites(t)[before:]; len(writes) > 0 {
		t.Errorf("the idle operator wrote %d times, want 0: %v", len(writes), writes)
	}
}

// operatorWrites returns the operator's write requests so far. It leaves out those that
// renew its lease and those that check a caller's rights.
func operatorWrites(t *testing.T) []string {
	t.Helper()
	var writes []string
	for event := range cluster.Audit(t) {
		if event.User.Username != attribution.OperatorUser || event.ObjectRef == nil {
			continue
		}
		switch event.ObjectRef.Resource {
		case "leases", "subjectaccessreviews", "tokenreviews":
		default:
			writes = append(writes, event.Verb+" "+event.RequestURI)
		}
	}
	return writes
}
