// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// unlimited are the flags that turn all limits off.
var unlimited = []string{"--max-errors-per-cronjob=0", "--max-errors-per-job=0", "--max-errors-per-namespace=0"}

// with returns the flags in unlimited and others that take precedence.
func with(flags ...string) []string { return append(slices.Clone(unlimited), flags...) }

// splitRecord returns the only record of deleted errors among errors, or nil, and the names
// of the others.
func splitRecord(t *testing.T, errs []joberrorv1.JobError) (record *joberrorv1.JobError, names []string) {
	t.Helper()
	for i := range errs {
		if errs[i].Labels[joberrorv1.LabelCaptured] != joberrorv1.CapturedTrimmed {
			names = append(names, errs[i].Name)
			continue
		}
		if record != nil {
			t.Fatalf("found the records %s and %s, want one", record.Name, errs[i].Name)
		}
		record = &errs[i]
	}
	slices.Sort(names)
	return record, names
}

// waitTrimmed waits until exactly these errors and the record of the others are left, and
// returns the record.
func waitTrimmed(t *testing.T, ns string, want ...string) *joberrorv1.JobError {
	t.Helper()
	slices.Sort(want)
	var record *joberrorv1.JobError
	harness.Eventually(t, func() string {
		var names []string
		if record, names = splitRecord(t, cluster.Errors(t, ns)); !slices.Equal(names, want) || record == nil {
			return fmt.Sprintf("left are %d errors %.500v, want %.500v; record: %v", len(names), names, want, record)
		}
		return ""
	})
	return cluster.WaitObserved(t, ns, record.Name)
}

// createAt creates errors of a job that happened one minute after the other, and resolves
// those whose name starts with "resolved".
func createAt(t *testing.T, ns, job string, names ...string) {
	t.Helper()
	for i, name := range names {
		at := time.Now().Add(time.Duration(i-len(names)) * time.Minute)
		je := harness.JobError(ns, name, job, harness.CreatedAt(at))
		je.Spec.Resolved = strings.HasPrefix(name, "resolved")
		harness.Create(t, cluster.Client, je)
	}
	for _, name := range names {
		cluster.WaitObserved(t, ns, name)
	}
}

func expectRecord(t *testing.T, record *joberrorv1.JobError, job, message string, occurrences int32) {
	t.Helper()
	if record.Spec.JobID != job || record.Spec.Code != "ErrorLimitExceeded" || !strings.Contains(record.Spec.Message, message) {
		t.Errorf("record %+v, want code ErrorLimitExceeded, _jobId %s and %q in the message", record.Spec, job, message)
	}
	if record.Status.Occurrences != occurrences || record.Status.FirstSeen == nil || record.Status.LastSeen == nil {
		t.Errorf("status of the record = %+v, want %d occurrences with their times", record.Status, occurrences)
	}
}

func TestAJobKeepsItsNewestReportedErrors(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t, unlimited...)
	harness.Create(t, cluster.Client, harness.Job(ns, "import"))
	createAt(t, ns, "import", "a", "b", "c", "d", "resolved-e", "f")
	createAt(t, ns, "other", "of-another-job")
	if record, names := splitRecord(t, cluster.Errors(t, ns)); record != nil || len(names) != 7 {
		t.Fatalf("without limits, errors = %v, record = %v; want 7 and none", names, record)
	}
	stop(t, operator)

	operate(t, with("--max-errors-per-job=3")...)
	record := waitTrimmed(t, ns, "c", "d", "f", "of-another-job")
	expectRecord(t, record, "import", "Job import may have 3 reported errors (--max-errors-per-job)", 3)
	if record.Status.Job == nil || record.Status.Job.Name != "import" || len(record.OwnerReferences) != 2 {
		t.Errorf("record is linked to %v with the owners %v, want the Job", record.Status.Job, record.OwnerReferences)
	}

	// A resolved record stays resolved and counts on.
	first := record.Status.FirstSeen
	if err := cluster.Client.Patch(t.Context(), record, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "g", "import"))
	record = waitTrimmed(t, ns, "d", "f", "g", "of-another-job")
	expectRecord(t, record, "import", "may have 3", 4)
	if !record.Spec.Resolved || !record.Status.FirstSeen.Equal(first) {
		t.Errorf("record is resolved: %t, firstSeen %s; want it resolved and %s", record.Spec.Resolved, record.Status.FirstSeen, first)
	}
}

func TestACronJobKeepsItsNewestCapturedErrors(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t, unlimited...)
	job := harness.Job(ns, "nightly", harness.Failing("3"))
	harness.Create(t, cluster.Client, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nightly"},
		Spec:       batchv1.CronJobSpec{Schedule: "0 0 1 1 *", Suspend: ptr.To(true), FailedJobsHistoryLimit: ptr.To[int32](10), JobTemplate: batchv1.JobTemplateSpec{Spec: job.Spec}},
	})
	for i := range 3 {
		cluster.Kubectl(t, "create", "job", fmt.Sprintf("run-%d", i), "-n", ns, "--from=cronjob/nightly")
	}
	failJob(t, ns, "of-no-cronjob")
	createAt(t, ns, "run-0", "reported")
	errs := cluster.WaitErrors(t, ns, harness.JobAndCode, "run-0/code", "run-0/BackoffLimitExceeded", "run-0/ExitCode:3",
		"run-1/BackoffLimitExceeded", "run-1/ExitCode:3", "run-2/BackoffLimitExceeded", "run-2/ExitCode:3",
		"of-no-cronjob/BackoffLimitExceeded", "of-no-cronjob/ExitCode:3")
	stop(t, operator)
	slices.SortFunc(errs, func(a, b joberrorv1.JobError) int {
		return strings.Compare(a.Spec.CreatedAt+a.Name, b.Spec.CreatedAt+b.Name)
	})
	var ofCronJob, want []string
	for _, je := range errs {
		if je.Labels[joberrorv1.LabelCronJobName] == "nightly" {
			ofCronJob = append(ofCronJob, je.Name)
		} else {
			want = append(want, je.Name)
		}
	}

	operate(t, with("--max-errors-per-cronjob=2")...)
	record := waitTrimmed(t, ns, append(want, ofCronJob[4:]...)...)
	expectRecord(t, record, "nightly", "CronJob nightly may have 2 captured errors (--max-errors-per-cronjob)", 4)
	if record.Labels[joberrorv1.LabelCronJobName] != "nightly" || record.Status.Job != nil {
		t.Errorf("labels of the record = %v, Job = %v; want the CronJob's label and no Job", record.Labels, record.Status.Job)
	}
	// Otherwise the operator of a later test would record the failures again.
	cluster.Kubectl(t, "delete", "job", "--all", "-n", ns, "--cascade=foreground")
}

func TestANamespaceKeepsItsNewestErrorsOnceItsJobsKeepToTheirs(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t, unlimited...)
	createAt(t, ns, "old", "a", "b", "c", "resolved-d")
	createAt(t, ns, "loud", "n-1", "n-2", "n-3", "n-4", "n-5", "n-6")
	stop(t, operator)

	operator = operate(t, with("--max-errors-per-job=4", "--max-errors-per-namespace=8")...)
	// The namespace has room for the old errors once the loud Job keeps to its limit.
	record := waitTrimmed(t, ns, "a", "b", "c", "resolved-d", "n-3", "n-4", "n-5", "n-6")
	expectRecord(t, record, "loud", "may have 4", 2)
	stop(t, operator)
	if err := cluster.Client.Delete(t.Context(), record); err != nil {
		t.Fatal(err)
	}

	operate(t, with("--max-errors-per-namespace=6")...)
	record = waitTrimmed(t, ns, "b", "c", "n-3", "n-4", "n-5", "n-6")
	expectRecord(t, record, joberrorv1.NamespaceJobID, "namespace "+ns+" may have 6 errors (--max-errors-per-namespace)", 2)
	if record.Status.Job != nil || len(record.OwnerReferences) > 0 {
		t.Errorf("record is linked to %v with the owners %v, want no link", record.Status.Job, record.OwnerReferences)
	}
}

func TestCountsDeletedErrorsOnceAcrossAKill(t *testing.T) {
	ns := cluster.Namespace(t)
	const errorCount, limit = 600, 50
	operator := operate(t, unlimited...)
	cluster.CreateMany(t, ns, "import", errorCount)
	for _, je := range cluster.Errors(t, ns) {
		cluster.WaitObserved(t, ns, je.Name)
	}
	stop(t, operator)

	operator = operate(t, with("--concurrency=1", fmt.Sprintf("--max-errors-per-job=%d", limit))...)
	harness.Eventually(t, func() string {
		if n := len(cluster.Errors(t, ns)); n > errorCount-50 {
			return fmt.Sprintf("%d errors are left, too many", n)
		}
		return ""
	})
	operator.Kill()
	record, left := splitRecord(t, cluster.Errors(t, ns))
	if len(left) <= limit {
		t.Fatal("all errors over the limit were deleted before the operator was killed, so nothing is tested")
	}
	if record == nil || int(record.Status.Occurrences) < errorCount-len(left) {
		t.Fatalf("after the kill, %d errors are deleted and the record is %+v, want it to count them", errorCount-len(left), record)
	}

	operate(t, with(fmt.Sprintf("--max-errors-per-job=%d", limit))...)
	harness.Eventually(t, func() string {
		record, left = splitRecord(t, cluster.Errors(t, ns))
		if len(left) != limit {
			return fmt.Sprintf("%d errors are left, want %d", len(left), limit)
		}
		return ""
	})
	if record.Status.Occurrences != errorCount-limit {
		t.Errorf("occurrences = %d, want %d", record.Status.Occurrences, errorCount-limit)
	}
}

func TestRefusesReportsOfAJobFarOverItsLimit(t *testing.T) {
	ns := cluster.Namespace(t)
	cluster.CreateMany(t, ns, "import", 12)
	// While somebody else leads, the operator serves and deletes nothing.
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: attribution.OperatorNamespace, Name: "joberror-operator"},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("somebody else"), LeaseDurationSeconds: ptr.To[int32](3600),
			AcquireTime: &metav1.MicroTime{Time: time.Now()}, RenewTime: &metav1.MicroTime{Time: time.Now()},
		},
	}
	if err := cluster.Client.Delete(t.Context(), lease.DeepCopy()); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	harness.Create(t, cluster.Client, lease)
	operate(t, with("--max-errors-per-job=10", "--leader-elect")...)
	post := func() harness.Response {
		return harness.Do(t, cluster.Config(), http.MethodPost, harness.JobErrorsPath(ns, "import"), `[{"message":"row 1"},{"message":"row 2"}]`)
	}
	var response harness.Response
	harness.Eventually(t, func() string {
		// A server that has just started may not know yet how the API server names callers.
		if response = post(); response.Code == http.StatusForbidden {
			return string(response.Body)
		}
		return ""
	})
	response.Want(t, http.StatusTooManyRequests)
	if message := response.Status(t).Message; !strings.Contains(message, "Job import has 12 errors, and 10 are kept (--max-errors-per-job)") {
		t.Errorf("message = %q, want it to name the limit", message)
	}
	if response.Header.Get("Retry-After") == "" {
		t.Errorf("header = %v, want Retry-After", response.Header)
	}
	if n := len(cluster.Errors(t, ns)); n != 12 {
		t.Errorf("%d errors are stored after a refused request, want 12", n)
	}

	if err := cluster.Client.Delete(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		if response := post(); response.Code != http.StatusCreated {
			return fmt.Sprintf("status code = %d, want 201: %s", response.Code, response.Body)
		}
		return ""
	})
}
