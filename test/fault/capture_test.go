// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// fail creates a Job that fails, and waits until it has.
func fail(t *testing.T, ns, name string, with ...func(*batchv1.Job)) *batchv1.Job {
	t.Helper()
	job := harness.Create(t, cluster.Client, harness.Job(ns, name, append(with, harness.Failing("3"))...))
	cluster.JobIs(t, ns, name, batchv1.JobFailed)
	return job
}

func TestWhatFailedWhileTheOperatorWasDownIsCaptured(t *testing.T) {
	ns := cluster.Namespace(t)
	fail(t, ns, "with-its-pod")
	fail(t, ns, "without")
	err := cluster.Client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(ns),
		client.MatchingLabels{batchv1.JobNameLabel: "without"}, client.GracePeriodSeconds(0))
	if err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns)); err != nil || len(pods.Items) != 1 {
			return fmt.Sprintf("there are %d pods, %v", len(pods.Items), err)
		}
		return ""
	})
	operator := operate(t)
	want := []string{"with-its-pod/BackoffLimitExceeded", "with-its-pod/ExitCode:3", "without/BackoffLimitExceeded"}
	before := cluster.Holds(t, ns, harness.JobAndCode, want...)
	stop(t, operator)

	// Everything is seen once more by the next one, and nothing written.
	operate(t)
	fail(t, ns, "a-later-one")
	after := cluster.Holds(t, ns, harness.JobAndCode, append([]string{"a-later-one/BackoffLimitExceeded", "a-later-one/ExitCode:3"}, want...)...)
	for _, was := range before {
		i := slices.IndexFunc(after, func(is joberrorv1.JobError) bool { return is.Name == was.Name })
		if is := after[i]; is.ResourceVersion != was.ResourceVersion || is.Status.Occurrences != 1 {
			t.Errorf("%s was written again: %+v, then %+v", was.Name, was.Status, is.Status)
		}
	}
}

func TestJobsAreChosenByNamespaceAndLabel(t *testing.T) {
	chosen, other := cluster.Namespace(t), cluster.Namespace(t)
	operate(t, "--capture-namespaces="+chosen, "--capture-selector=tier!=test")
	test := func(job *batchv1.Job) { metav1.SetMetaDataLabel(&job.ObjectMeta, "tier", "test") }
	fail(t, other, "elsewhere")
	fail(t, chosen, "of-a-test", test)
	fail(t, chosen, "chosen")
	cluster.Holds(t, chosen, harness.JobAndCode, "chosen/BackoffLimitExceeded", "chosen/ExitCode:3")
	if got := cluster.Errors(t, other); len(got) > 0 {
		t.Errorf("in another namespace %v is captured", got)
	}
}

func TestNothingIsCapturedWhereThatIsOff(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t, "--capture=false")
	fail(t, ns, "job")
	harness.Create(t, cluster.Client, harness.JobError(ns, "reported", "job"))
	cluster.When(t, ns, "reported", func(je *joberrorv1.JobError) bool { return je.Status.Job != nil })
	if got := cluster.Errors(t, ns); len(got) != 1 {
		t.Errorf("captured are %v", got)
	}
	stop(t, operator)
	operate(t)
	cluster.Holds(t, ns, harness.JobAndCode, "job/BackoffLimitExceeded", "job/ExitCode:3", "job/code")
}

// And the operator is killed while it records them.
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
