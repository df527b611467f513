// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// failingCronJob builds a CronJob that never runs on schedule, and whose runs fail.
func failingCronJob(ns, name string) *batchv1.CronJob {
	job := harness.Job(ns, name, harness.Failing("3"))
	cronJob := &batchv1.CronJob{Spec: batchv1.CronJobSpec{Schedule: "0 0 1 1 *", Suspend: ptr.To(true), JobTemplate: batchv1.JobTemplateSpec{Spec: job.Spec}}}
	cronJob.Namespace, cronJob.Name = ns, name
	return cronJob
}

// run starts a run of a CronJob and waits for its end.
func run(t *testing.T, cronJob *batchv1.CronJob, name string, end batchv1.JobConditionType) {
	t.Helper()
	cluster.Kubectl(t, "create", "job", name, "-n", cronJob.Namespace, "--from=cronjob/"+cronJob.Name)
	cluster.WaitJobCondition(t, cronJob.Namespace, name, end)
}

// awaitState waits until the last notification about an alert of a workload has a status, and
// returns the alert.
func awaitState(t *testing.T, r *receiver, alert, workload, status string) notified {
	t.Helper()
	var last notified
	harness.EventuallyWithin(t, 2*time.Minute, func() string {
		alerts := r.of(alert, workload)
		if len(alerts) == 0 {
			return "the receiver has no notification of " + alert
		}
		if last = alerts[len(alerts)-1]; last.Status != status {
			return fmt.Sprintf("%s is %s, want %s", alert, last.Status, status)
		}
		return ""
	})
	return last
}

// awaitSamples waits until a query returns exactly these values, and returns the samples.
func awaitSamples(t *testing.T, prometheus *harness.Monitor, expression string, want ...string) []harness.Sample {
	t.Helper()
	var samples []harness.Sample
	harness.Eventually(t, func() string {
		samples = prometheus.Query(t, expression)
		var got []string
		for _, sample := range samples {
			got = append(got, sample.Value)
		}
		if !slices.Equal(got, want) {
			return fmt.Sprintf("%s = %v, want %v", expression, got, want)
		}
		return ""
	})
	return samples
}

// typeCommand types the command of an alert, and returns what it prints.
func typeCommand(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Env = append(slices.DeleteFunc(cluster.KubectlEnv(), func(entry string) bool { return strings.HasPrefix(entry, "PATH=") }), cluster.PathWithPlugin(t))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}

func TestAlertLastsAsLongAsACronJobFails(t *testing.T) {
	began := time.Now()
	logf := func(format string, args ...any) {
		t.Helper()
		t.Logf("%5.1fs "+format, append([]any{time.Since(began).Seconds()}, args...)...)
	}
	webhook := startReceiver(t)
	prometheus := startPrometheus(t, startAlertmanager(t, webhook.URL).URL)
	awaitSamples(t, prometheus, `count(up == 1)`, "2")
	logf("Prometheus scrapes both replicas with TLS and the token of its account")

	ns := cluster.Namespace(t)
	cluster.Kubectl(t, "label", "namespace", ns, "joberror.io/severity=critical")
	nightly := harness.Create(t, cluster.Client, failingCronJob(ns, "nightly"))
	failing := `max(joberror_cronjob_failing_runs{namespace="` + ns + `"})`
	run(t, nightly, "run-1", batchv1.JobFailed)
	awaitSamples(t, prometheus, failing, "1")
	logf("the first run failed: joberror_cronjob_failing_runs is 1")
	open := awaitState(t, webhook, "JobErrorsOpen", "nightly", "firing")
	logf("the receiver got JobErrorsOpen: %s", open.Annotations["summary"])
	if alerts := webhook.of("CronJobFailing", "nightly"); len(alerts) > 0 {
		t.Fatalf("the receiver got CronJobFailing after one failed run: %v", alerts)
	}
	run(t, nightly, "run-2", batchv1.JobFailed)
	awaitSamples(t, prometheus, failing, "2")
	logf("the second run failed: joberror_cronjob_failing_runs is 2")
	first := awaitState(t, webhook, "CronJobFailing", "nightly", "firing")
	logf("the receiver got CronJobFailing (%s): %s", first.Labels["severity"], first.Annotations["summary"])
	if first.Labels["severity"] != "critical" || first.Labels["namespace"] != ns {
		t.Errorf("labels = %v, want the severity of the namespace", first.Labels)
	}
	for _, alert := range []notified{open, first} {
		out := typeCommand(t, alert.Annotations["command"])
		if !strings.Contains(out, "cronjob/nightly") || !strings.Contains(out, "ExitCode:3") {
			t.Errorf("%s prints %q, want the errors of the CronJob", alert.Annotations["command"], out)
		}
		logf("$ %s\n%s", alert.Annotations["command"], out)
	}

	killLeader(t, prometheus, logf)
	awaitSamples(t, prometheus, failing, "2")
	logf("the next leader exports joberror_cronjob_failing_runs: 2")

	patch := `{"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":null}}}}}}`
	if err := cluster.Client.Patch(t.Context(), nightly, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
	if got := states(webhook.of("CronJobFailing", "nightly")); !slices.Equal(got, []string{"firing"}) {
		t.Errorf("states of CronJobFailing after the failover = %v, want only firing", got)
	}
	run(t, nightly, "run-3", batchv1.JobComplete)
	logf("the CronJob is fixed, and the third run succeeded")
	awaitSamples(t, prometheus, failing)
	for _, je := range cluster.Errors(t, ns) {
		cluster.WaitFor(t, ns, je.Name, func(je *joberrorv1.JobError) bool {
			return harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) == joberrorv1.ReasonJobSucceeded
		})
	}
	logf("the errors are resolved")
	for _, alert := range []string{"CronJobFailing", "JobErrorsOpen"} {
		resolved := awaitState(t, webhook, alert, "nightly", "resolved")
		all := webhook.of(alert, "nightly")
		if got := states(all); !slices.Equal(got, []string{"firing", "resolved"}) || !resolved.StartsAt.Equal(all[0].StartsAt) {
			t.Errorf("notifications of %s = %v, want it to fire and to resolve once", alert, all)
		}
		logf("the receiver got the end of %s; its states were %v", alert, states(all))
	}
}

// killLeader kills the leader, and waits until the other replica leads and Prometheus has seen
// a gap.
func killLeader(t *testing.T, prometheus *harness.Monitor, logf func(string, ...any)) {
	t.Helper()
	const leads = `leader_election_master_status{name="joberror-operator"} == 1`
	before := awaitSamples(t, prometheus, leads, "1")[0].Labels["instance"]
	name := cluster.Leader(t)
	process := cluster.Pods.Process(name)
	if process == nil {
		t.Fatalf("the leader %q has no process", name)
	}
	process.Kill()
	killed := time.Now()
	logf("killed the leader %s", name)
	awaitSamples(t, prometheus, leads)
	after := awaitSamples(t, prometheus, leads, "1")[0].Labels["instance"]
	if after == before {
		t.Fatalf("the leader is still %s", after)
	}
	logf("another replica led after %s", time.Since(killed).Round(time.Second))
}
