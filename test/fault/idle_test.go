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
	// idleTime is how long an operator with nothing to do must write nothing.
	idleTime = time.Minute
	// settlingTime without a write tells that the last work is done. It is
	// longer than the 10 s after which the Events library tries again what was
	// refused; it sends the second Event of a series beside the first, and is
	// refused when it is the faster.
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
	cluster.Completed(t, ns, "some")
	cluster.When(t, ns, "a", func(je *joberrorv1.JobError) bool { return je.Status.Resolution == "some" })
	for _, name := range []string{"b", "c"} {
		cluster.Settled(t, ns, name)
	}
	// Events are sent in the background.
	harness.Eventually(t, func() string {
		if out, err := cluster.Run(t.Context(), nil, "events", "-n", ns, "--for=job/job"); err != nil || !strings.Contains(out, "ErrorsResolved") {
			return "the Job's events are not there yet"
		}
		sofar := len(operatorWrites(t))
		time.Sleep(settlingTime)
		if len(operatorWrites(t)) > sofar {
			return "the operator still sends events"
		}
		return ""
	})
	before := len(operatorWrites(t))
	if before == 0 {
		t.Fatal("the audit log has nothing of what the operator wrote so far; nothing is tested")
	}
	time.Sleep(idleTime)
	if writes := operatorWrites(t)[before:]; len(writes) > 0 {
		t.Errorf("the idle operator wrote %d times: %v", len(writes), writes)
	}
}

// operatorWrites are the operator's write requests so far, but for those that
// keep its lease as a leader and those that ask for a caller's rights.
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
