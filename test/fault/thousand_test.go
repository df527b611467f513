// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// This must be the last test of the package: the objects it leaves slow down each operator
// that starts later. The test kills the operator while it records the failures.
func TestCapturesAThousandConcurrentFailures(t *testing.T) {
	const jobs = 1000
	ns := cluster.Namespace(t)
	operator := operate(t)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for i := range jobs {
		group.Go(func() error {
			return cluster.Client.Create(ctx, harness.Job(ns, fmt.Sprintf("job-%04d", i), harness.Failing("3")))
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	logged := 0
	harness.EventuallyWithin(t, 10*time.Minute, func() string {
		got := cluster.Errors(t, ns)
		if len(got) >= logged+500 {
			logged = len(got)
			t.Logf("captured %d errors", logged)
			if operator != nil {
				operator.Kill()
				operator = nil
				operate(t)
			}
		}
		if len(got) < 2*jobs {
			return fmt.Sprintf("captured %d errors, want %d", len(got), 2*jobs)
		}
		return ""
	})
	captured := cluster.Errors(t, ns)
	got := harness.Names(captured, harness.JobAndCode)
	if len(got) != 2*jobs {
		t.Errorf("captured %d errors, want %d", len(got), 2*jobs)
	}
	for _, je := range captured {
		cluster.WaitFor(t, ns, je.Name, func(je *joberrorv1.JobError) bool { return je.Status.Occurrences == 1 && je.Status.Job != nil })
	}
	for i := range jobs {
		for _, code := range []string{"BackoffLimitExceeded", "ExitCode:3"} {
			if want := fmt.Sprintf("job-%04d/%s", i, code); !slices.Contains(got, want) {
				t.Fatalf("%s is not captured", want)
			}
		}
	}
}
