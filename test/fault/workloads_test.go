// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

// workloadMetrics returns the values of the metrics by workload that an operator exports for a
// namespace, without the time of the oldest error.
func workloadMetrics(t *testing.T, address, namespace string) []string {
	t.Helper()
	values := []string{}
	for _, line := range strings.Split(metrics(t, address), "\n") {
		if strings.Contains(line, `namespace="`+namespace+`"`) && strings.Contains(line, "workload=") && !strings.HasPrefix(line, "joberror_oldest") {
			values = append(values, strings.ReplaceAll(line, `namespace="`+namespace+`",`, ""))
		}
	}
	slices.Sort(values)
	return values
}

func expectWorkloads(t *testing.T, address, namespace string, want ...string) {
	t.Helper()
	harness.Eventually(t, func() string {
		if got := workloadMetrics(t, address, namespace); !slices.Equal(got, want) {
			return fmt.Sprintf("metrics by workload = %q, want %q", got, want)
		}
		return ""
	})
}

func TestANewLeaderExportsTheSameWorkloads(t *testing.T) {
	ns := cluster.Namespace(t)
	address, serveMetrics := cluster.MetricsWithoutTLS()
	// Other tests leave many workloads in the cluster.
	arguments := []string{"--leader-elect", "--metrics-workloads=100000"}
	leader := operate(t, append(serveMetrics, arguments...)...)
	failing := harness.Job(ns, "nightly", harness.Failing("3"))
	nightly := harness.Create(t, cluster.Client, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nightly"},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", Suspend: ptr.To(true), FailedJobsHistoryLimit: ptr.To[int32](1),
			JobTemplate: batchv1.JobTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{joberrorv1.LabelSeverity: joberrorv1.SeverityCritical}}, Spec: failing.Spec,
			},
		},
	})
	startRun := func(name string) { cluster.Kubectl(t, "create", "job", name, "-n", ns, "--from=cronjob/nightly") }
	startRun("run-1")
	cluster.WaitErrors(t, ns, harness.JobAndCode, "run-1/BackoffLimitExceeded", "run-1/ExitCode:3")
	// What is left of this run is its errors.
	cluster.Kubectl(t, "delete", "job", "run-1", "-n", ns)
	startRun("run-2")
	harness.Create(t, cluster.Client, harness.Job(ns, "import"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "row", "import"))
	const ofCronJob = `workload="nightly",workload_kind="CronJob"} `
	want := []string{
		`joberror_cronjob_failing_runs{` + ofCronJob + "2",
		`joberror_open_errors{class="",workload="import",workload_kind="Job"} 1`,
		`joberror_open_errors{class="application",` + ofCronJob + "4",
		`joberror_workload_severity{severity="critical",` + ofCronJob + "1",
		`joberror_workload_severity{severity="warning",workload="import",workload_kind="Job"} 1`,
	}
	expectWorkloads(t, address, ns, want...)

	ports, err := controlplane.PickPorts()
	if err != nil {
		t.Fatal(err)
	}
	next := fmt.Sprintf("127.0.0.1:%d", ports.MetricsPort)
	standby, err := cluster.Launch("standby", ports, append(arguments, "--metrics-insecure", "--metrics-bind-address="+next)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, standby) })
	if err := standby.WaitReady(t.Context(), ports); err != nil {
		t.Fatal(err)
	}
	if got := workloadMetrics(t, next, ns); len(got) > 0 {
		t.Errorf("the standby exports %q, want nothing", got)
	}
	leader.Kill()
	expectWorkloads(t, next, ns, want...)

	if err := cluster.Client.Patch(t.Context(), nightly, harness.MergePatch(`{"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":null}}}}}}`)); err != nil {
		t.Fatal(err)
	}
	startRun("run-3")
	expectWorkloads(t, next, ns, want[1], want[4])
	cluster.Kubectl(t, "patch", "joberror", "row", "-n", ns, "--type=merge", "-p", `{"spec":{"resolved":true}}`)
	expectWorkloads(t, next, ns)
}
