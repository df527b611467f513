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

// It is the last test of the package: what it leaves slows down each operator that
// starts after it. The operator is killed while it records them.
func TestAThousandJobsFailAtOnce(t *testing.T) {
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
	told := 0
	harness.EventuallyIn(t, 10*time.Minute, func() string {
		got := cluster.Errors(t, ns)
		if len(got) >= told+500 {
			told = len(got)
			t.Logf("%d errors are captured", told)
			if operator != nil {
				operator.Kill()
				operator = nil
				operate(t)
			}
		}
		if len(got) < 2*jobs {
			return fmt.Sprintf("%d errors are captured", len(got))
		}
		return ""
	})
	errors := cluster.Errors(t, ns)
	got := harness.Named(errors, harness.JobAndCode)
	if len(got) != 2*jobs {
		t.Errorf("%d errors are captured, want %d", len(got), 2*jobs)
	}
	for _, je := range errors {
		cluster.When(t, ns, je.Name, func(je *joberrorv1.JobError) bool { return je.Status.Occurrences == 1 && je.Status.Job != nil })
	}
	for i := range jobs {
		for _, code := range []string{"BackoffLimitExceeded", "ExitCode:3"} {
			if want := fmt.Sprintf("job-%04d/%s", i, code); !slices.Contains(got, want) {
				t.Fatalf("%s is missing", want)
			}
		}
	}
}
