// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestACommittedRetryIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	manifest := "apiVersion: joberror.io/v1\nkind: JobErrorRetry\nmetadata: {name: again, namespace: " + ns + "}\nspec: {_jobId: import}\n"
	apply := func() {
		t.Helper()
		if out, err := cluster.Run(t.Context(), strings.NewReader(manifest), "apply", "--server-side", "-f", "-"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	apply()
	awaitRetry(t, ns, "again", hasStarted)
	endPods(t, ns, "import-r1", 1, fails)
	done := awaitRetry(t, ns, "again", isComplete)
	apply()
	again := harness.Get(t, cluster.Client, ns, "again", &joberrorv1.JobErrorRetry{})
	if again.Generation != done.Generation || again.Status.CompletedAt.Time != done.Status.CompletedAt.Time {
		t.Errorf("status = %+v, want that nothing has changed", again.Status)
	}
	if names := jobsIn(t, ns); len(names) != 2 {
		t.Errorf("Jobs = %v, want one retry", names)
	}
	table := cluster.Kubectl(t, "get", "jet", "again", "-n", ns)
	for _, want := range []string{"JOB", "NEW-JOB", "ATTEMPT", "import-r1", "False", "REQUESTED-BY"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %s:\n%s", want, table)
		}
	}
}

func TestTheSpecOfARetryIsImmutable(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	jet := harness.Create(t, cluster.Client, retryOf(ns, "again", "nobody"))
	patch := harness.MergePatch(`{"spec":{"_jobId":"other"}}`)
	if err := cluster.Client.Patch(t.Context(), jet, patch); err == nil || !strings.Contains(err.Error(), "spec is immutable") {
		t.Errorf("patch: %v, want that the spec is immutable", err)
	}
	// A request for a Job that nobody knows is answered too.
	jet = awaitRetry(t, ns, "again", isComplete)
	if status, reason, message := outcome(jet); status != metav1.ConditionFalse || reason != "NotFound" || !strings.Contains(message, `"nobody"`) {
		t.Errorf("Succeeded = %s, %s, %q, want a refusal that names the job", status, reason, message)
	}
}

func TestANameThatIsTaken(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	harness.Create(t, cluster.Client, harness.Job(ns, "import-r1"))
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	if jet := awaitRetry(t, ns, "again", hasStarted); jet.Status.Job.Name != "import-r2" {
		t.Errorf("status = %+v, want the next name", jet.Status)
	}
}

func TestALongName(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	name := "import-" + strings.Repeat("x", 56)
	failedJob(t, ns, name)
	harness.Create(t, cluster.Client, retryOf(ns, "again", name))
	jet := awaitRetry(t, ns, "again", hasStarted)
	if len(jet.Status.Job.Name) > 63 || jet.Status.Root.Name != name {
		t.Errorf("status = %+v, want a name of at most 63 characters", jet.Status)
	}
	endPods(t, ns, jet.Status.Job.Name, 1, succeeds)
	if jet = awaitRetry(t, ns, "again", isComplete); jet.Status.Resolved != errorsOfFailure {
		t.Errorf("resolved = %d, want the errors of the Job", jet.Status.Resolved)
	}
}

func TestARestoredRetryIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	jet := retryOf(ns, "again", "import")
	jet.Spec.RequestedBy = "bob"
	jet.Annotations = map[string]string{joberrorv1.AnnotationRestoredStatus: `{"job":{"name":"import-r1","uid":"1"},"attempt":1}`}
	harness.Create(t, cluster.Client, jet)
	jet = awaitRetry(t, ns, "again", isComplete)
	if _, reason, _ := outcome(jet); reason != joberrorv1.ReasonRestored || jet.Spec.RequestedBy != "bob" || jet.Status.Job == nil {
		t.Errorf("retry = %+v, want the record of the past", jet)
	}
	if names := jobsIn(t, ns); len(names) != 1 {
		t.Errorf("Jobs = %v, want that nothing runs", names)
	}
}

func TestAFailedJobWithoutRoomInTheQuota(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	cluster.Kubectl(t, "create", "quota", "jobs", "-n", ns, "--hard=count/jobs.batch=1")
	harness.Eventually(t, func() string {
		if used := cluster.Kubectl(t, "get", "quota", "jobs", "-n", ns, "-o", "jsonpath={.status.used}"); !strings.Contains(used, "1") {
			return "the quota counts no Job yet"
		}
		return ""
	})
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	jet := awaitRetry(t, ns, "again", isComplete)
	if _, reason, message := outcome(jet); reason != "Forbidden" || !strings.Contains(message, "exceeded quota: jobs") {
		t.Errorf("reason = %s, message = %q, want the quota", reason, message)
	}
}

func TestAnAbandonedJobBlocksNobody(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	root := failedJob(t, ns, "import")
	// The JobErrorRetry was deleted before the Job could run.
	harness.Create(t, cluster.Client, harness.Job(ns, "import-r1", harness.Annotated(joberrorv1.AnnotationRetry, "deleted"),
		harness.Annotated(joberrorv1.AnnotationHeld, ""), harness.Annotated(joberrorv1.AnnotationRetryOf, string(root.UID)),
		func(job *batchv1.Job) { job.Labels = map[string]string{joberrorv1.LabelLineage: string(root.UID)} }))
	if jet := retryIn(t, post(t, cluster.Config(), ns, "import", "").Want(t, 201)); jet.Status.Job.Name != "import-r2" {
		t.Errorf("status = %+v, want the next attempt", jet.Status)
	}
}

// The operator dies after it let the Job run, and before the status says so.
func TestAJobIsReleasedOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	jet := awaitRetry(t, ns, "again", hasStarted)
	// Somebody suspends the Job.
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "import-r1"}}
	if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(`{"spec":{"suspend":true}}`)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Status().Patch(t.Context(), jet.DeepCopy(), harness.MergePatch(`{"status":{"startedAt":null}}`)); err != nil {
		t.Fatal(err)
	}
	awaitRetry(t, ns, "again", func(after *joberrorv1.JobErrorRetry) bool {
		return hasStarted(after) && after.ResourceVersion != jet.ResourceVersion
	})
	if job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{}); !*job.Spec.Suspend {
		t.Error("the Job that was suspended by somebody runs again")
	}
}
