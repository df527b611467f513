// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus/testutil"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failingruns"
	"joberror.io/operator/internal/openerrors"
)

func errorOf(cronJob string) *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Labels: map[string]string{joberrorv1.LabelCronJobName: cronJob, joberrorv1.LabelClass: joberrorv1.ClassImage}},
		Spec:       joberrorv1.JobErrorSpec{CreatedAt: "2026-11-22T10:00:00Z"},
	}
}

// collectorOf returns a collector that knows some open errors, and a CronJob whose last run
// failed. What it logs is added to logged.
func collectorOf(limit int, logged *[]string, cronJobs ...string) *workloadCollector {
	log := funcr.New(func(_, args string) { *logged = append(*logged, args) }, funcr.Options{})
	w := &workloadCollector{
		ready: func() bool { return true }, open: openerrors.NewCounter(limit), failing: failingruns.NewTracker(limit), defaults: newNamespaceSeverities(log),
	}
	for _, name := range cronJobs {
		w.open.OnAdd(errorOf(name), true)
	}
	w.failing.CronJobs().OnAdd(&batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "nightly"}}, true)
	w.failing.Jobs().OnAdd(&batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "nightly-1", UID: "1", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", Controller: ptr.To(true)},
		}},
		Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{
			{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Unix(100, 0)},
		}},
	}, true)
	return w
}

func TestWorkloadsAreExported(t *testing.T) {
	t.Parallel()
	w := collectorOf(10, new([]string), "nightly", "nightly", "weekly")
	const labels = `namespace="team",workload="%s",workload_kind="CronJob"} %v`
	for metric, want := range map[string][]string{
		"joberror_open_errors": {
			`joberror_open_errors{class="image",` + fmt.Sprintf(labels, "nightly", 2), `joberror_open_errors{class="image",` + fmt.Sprintf(labels, "weekly", 1)},
		"joberror_oldest_open_error_timestamp_seconds": {
			"joberror_oldest_open_error_timestamp_seconds{" + fmt.Sprintf(labels, "nightly", "1.7953416e+09"), "joberror_oldest_open_error_timestamp_seconds{" + fmt.Sprintf(labels, "weekly", "1.7953416e+09")},
		"joberror_workload_severity": {
			`joberror_workload_severity{namespace="team",severity="warning",workload="nightly",workload_kind="CronJob"} 1`,
			`joberror_workload_severity{namespace="team",severity="warning",workload="weekly",workload_kind="CronJob"} 1`},
		"joberror_cronjob_failing_runs": {"joberror_cronjob_failing_runs{" + fmt.Sprintf(labels, "nightly", 1)},
		"joberror_unlisted_workloads":   {"joberror_unlisted_workloads 0"},
	} {
		expect(t, w, metric, want...)
	}
}

// expect expects the values of one metric.
func expect(t *testing.T, w *workloadCollector, metric string, want ...string) {
	t.Helper()
	help := map[string]string{}
	for _, d := range []struct{ name, help string }{
		{"joberror_open_errors", "JobErrors that are not resolved, by workload and class."},
		{"joberror_oldest_open_error_timestamp_seconds", "When the oldest open JobError of a workload was created."},
		{"joberror_workload_severity", "Always 1. The label severity is the highest of the open JobErrors and failing runs of a workload."},
		{"joberror_cronjob_failing_runs", "Runs of a CronJob that failed in a row."},
		{"joberror_unlisted_workloads", "Workloads that are summed or left out because there are more than --metrics-workloads."},
	} {
		help[d.name] = d.help
	}
	text := fmt.Sprintf("# HELP %s %s\n# TYPE %s gauge\n%s\n", metric, help[metric], metric, strings.Join(want, "\n"))
	if err := testutil.CollectAndCompare(w, strings.NewReader(text), metric); err != nil {
		t.Error(err)
	}
}

func TestTheNamespaceSetsTheSeverity(t *testing.T) {
	t.Parallel()
	var logged []string
	w := collectorOf(10, &logged, "nightly")
	namespace := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "team", Labels: map[string]string{joberrorv1.LabelSeverity: "critical"}}}
	series := `joberror_workload_severity{namespace="team",severity="%s",workload="nightly",workload_kind="CronJob"} 1`
	w.defaults.OnAdd(namespace, true)
	expect(t, w, "joberror_workload_severity", fmt.Sprintf(series, "critical"))
	wrong := namespace.DeepCopy()
	wrong.Labels[joberrorv1.LabelSeverity] = "page"
	w.defaults.OnUpdate(namespace, wrong)
	w.defaults.OnUpdate(wrong, wrong)
	expect(t, w, "joberror_workload_severity", fmt.Sprintf(series, "warning"))
	if len(logged) != 1 || !strings.Contains(logged[0], "page") {
		t.Errorf("logged = %q, want one line about the value", logged)
	}
	w.defaults.OnAdd(namespace, true)
	w.defaults.OnDelete(namespace)
	expect(t, w, "joberror_workload_severity", fmt.Sprintf(series, "warning"))
}

func TestReachingTheBoundIsVisible(t *testing.T) {
	t.Parallel()
	w := collectorOf(1, new([]string), "a", "b", "c")
	expect(t, w, "joberror_unlisted_workloads", "joberror_unlisted_workloads 2")
	expect(t, w, "joberror_open_errors", `joberror_open_errors{class="image",namespace="team",workload="",workload_kind=""} 2`,
		`joberror_open_errors{class="image",namespace="team",workload="a",workload_kind="CronJob"} 1`)
}

func TestOnlyAReadyLeaderExportsWorkloads(t *testing.T) {
	t.Parallel()
	w := collectorOf(10, new([]string), "nightly")
	w.ready = func() bool { return false }
	if n := testutil.CollectAndCount(w); n != 0 {
		t.Errorf("a standby exports %d values, want 0", n)
	}
	elected := make(chan struct{})
	if isClosed(elected) {
		t.Error("a channel that is open counts as closed")
	}
	if close(elected); !isClosed(elected) {
		t.Error("a channel that is closed counts as open")
	}
}
