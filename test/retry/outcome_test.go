// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestASuccessfulRetryResolvesWhatItFixed(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failed := failedJob(t, ns, "import")
	alice, err := client.New(editor(t, ns, "alice"), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "reported", "import"))
	harness.Create(t, alice, retryOf(ns, "again", "import"))
	jet := awaitRetry(t, ns, "again", hasStarted)
	if jet.Status.Job.Name != "import-r1" || jet.Status.Attempt != 1 || jet.Status.Root.UID != failed.UID || jet.Status.TemplateFrom != joberrorv1.TemplateFromJob {
		t.Errorf("status = %+v, want the first retry of import, from the Job's own template", jet.Status)
	}
	endPods(t, ns, "import-r1", 1, succeeds)
	jet = awaitRetry(t, ns, "again", isComplete)
	if status, reason, message := outcome(jet); status != metav1.ConditionTrue || reason != joberrorv1.ReasonRetrySucceeded || jet.Status.Resolved != errorsOfFailure {
		t.Errorf("Succeeded = %s, %s, %q, resolved = %d, want the errors of the Job resolved", status, reason, message, jet.Status.Resolved)
	}
	for _, je := range cluster.Errors(t, ns) {
		je := cluster.WaitObserved(t, ns, je.Name)
		reason := harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved)
		switch captured := je.Labels[joberrorv1.LabelCaptured] != ""; {
		case captured && (reason != joberrorv1.ReasonRetrySucceeded || je.Status.ResolvedBy != "alice"):
			t.Errorf("%s: reason = %s, by = %q, want it resolved by the retry for alice", je.Name, reason, je.Status.ResolvedBy)
		case !captured && je.Spec.Resolved:
			t.Errorf("%s was reported, and is resolved", je.Name)
		}
	}
	if after := harness.Get(t, cluster.Client, ns, "import", &batchv1.Job{}); after.ResourceVersion != failed.ResourceVersion {
		t.Error("the failed Job was changed")
	}
}

func TestAFailedRetryStaysInItsLineage(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	root := failedJob(t, ns, "import")
	harness.Create(t, cluster.Client, retryOf(ns, "first", "import"))
	awaitRetry(t, ns, "first", hasStarted)
	endPods(t, ns, "import-r1", 1, fails)
	first := awaitRetry(t, ns, "first", isComplete)
	if status, reason, message := outcome(first); status != metav1.ConditionFalse || reason != joberrorv1.ReasonRetryFailed || !strings.Contains(message, "import-r1") {
		t.Errorf("Succeeded = %s, %s, %q, want that import-r1 failed", status, reason, message)
	}
	for _, je := range awaitErrors(t, ns, "import-r1") {
		if je.Labels[joberrorv1.LabelLineage] != string(root.UID) {
			t.Errorf("labels of %s = %v, want the lineage of import", je.Name, je.Labels)
		}
	}
	if areResolved(t, ns, "import") {
		t.Error("the first errors are resolved, although the retry failed")
	}
	// The retry of a retry is one more retry of the first Job.
	harness.Create(t, cluster.Client, retryOf(ns, "second", "import-r1"))
	second := awaitRetry(t, ns, "second", hasStarted)
	if second.Status.Job.Name != "import-r2" || second.Status.Attempt != 2 || second.Status.Root.UID != root.UID || second.Status.Root.Name != "import" {
		t.Errorf("status = %+v, want the second retry of import", second.Status)
	}
	endPods(t, ns, "import-r2", 1, succeeds)
	if second = awaitRetry(t, ns, "second", isComplete); second.Status.Resolved != 2*errorsOfFailure {
		t.Errorf("resolved = %d, want the errors of import and import-r1", second.Status.Resolved)
	}
}

func TestARetryThatIsGoneAtOnceStillResolves(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	awaitRetry(t, ns, "again", hasStarted)
	job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{})
	patch := client.MergeFrom(job.DeepCopy())
	job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
	if err := cluster.Client.Patch(t.Context(), job, patch); err != nil {
		t.Fatal(err)
	}
	endPods(t, ns, "import-r1", 1, succeeds)
	if jet := awaitRetry(t, ns, "again", isComplete); jet.Status.Resolved != errorsOfFailure {
		t.Errorf("status = %+v, want the errors of import resolved", jet.Status)
	}
	harness.Eventually(t, func() string {
		if names := jobsIn(t, ns); len(names) != 1 {
			return "the retry's Job still exists"
		}
		return ""
	})
}

func TestARetryWhoseJobIsDeletedIsLost(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	awaitRetry(t, ns, "again", hasStarted)
	job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{})
	deleteJob(t, job)
	jet := awaitRetry(t, ns, "again", isComplete)
	if status, reason, _ := outcome(jet); status != metav1.ConditionFalse || reason != joberrorv1.ReasonRetryLost {
		t.Errorf("Succeeded = %s, %s, want that the Job was lost", status, reason)
	}
	if names := jobsIn(t, ns); len(names) != 1 {
		t.Errorf("Jobs = %v, want that nothing runs again", names)
	}
}

func TestASuccessfulRetryLeavesOtherNightsOpen(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cronJob := harness.Create(t, cluster.Client, cronJob(ns, "nightly"))
	monday := failedRun(t, cronJob, "nightly-29373120")
	failedRun(t, cronJob, "nightly-29374560")
	harness.Create(t, cluster.Client, retryOf(ns, "monday", monday.Name))
	awaitRetry(t, ns, "monday", hasStarted)
	endPods(t, ns, monday.Name+"-r1", 1, succeeds)
	awaitRetry(t, ns, "monday", isComplete)
	if !areResolved(t, ns, monday.Name) {
		t.Error("the errors of Monday are open")
	}
	// The next run resolves the errors of all nights. The retry did not: this run is what the
	// condition names.
	next := harness.Create(t, cluster.Client, harness.Job(ns, "nightly-29376000", running, func(job *batchv1.Job) {
		job.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cronJob, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
	}))
	endPods(t, ns, next.Name, 1, succeeds)
	harness.Eventually(t, func() string {
		if !areResolved(t, ns, "nightly-29374560") {
			return "the errors of Tuesday are open"
		}
		return ""
	})
	for _, je := range awaitErrors(t, ns, "nightly-29374560") {
		c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
		if c.Reason != joberrorv1.ReasonJobSucceeded || !strings.Contains(c.Message, next.Name) {
			t.Errorf("Tuesday's error was resolved by %q, want the next run", c.Message)
		}
	}
}
