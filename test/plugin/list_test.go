// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// onTerminal runs the plugin on a terminal of this size, and returns what the terminal shows.
func (c *command) onTerminal(t *testing.T, columns, rows uint16) string {
	t.Helper()
	terminal, err := pty.StartWithSize(c.Cmd, &pty.Winsize{Cols: columns, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	// When the process ends, reading its terminal fails on Linux.
	out, _ := io.ReadAll(terminal)
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %v: %s", c.Args, err, out)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n")
}

// errorsOfManyJobs is how many errors TestManyErrors creates in one job, besides one in each of
// other jobs.
const (
	errorsOfOneJob = 960
	otherJobs      = 40
)

func TestManyErrors(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	cluster.CreateMany(t, ns, "bulk", errorsOfOneJob)
	for i := range otherJobs {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("other-%d", i), fmt.Sprintf("job-%02d", i), func(je *joberrorv1.JobError) {
			je.Spec.Message = strings.Repeat("long ", 100) + "\nsecond line"
		}))
	}

	t.Run("a list fits the screen", func(t *testing.T) {
		c := plugin(t, "-n", ns)
		c.Stdout, c.Stderr = nil, nil
		out := c.onTerminal(t, 100, 24)
		lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
		if len(lines) > 23 {
			t.Errorf("the list has %d lines on a terminal of 24 rows:\n%s", len(lines), out)
		}
		for _, line := range lines[1 : len(lines)-1] {
			if len([]rune(line)) > 100 {
				t.Errorf("a line has %d characters on a terminal of 100: %s", len([]rune(line)), line)
			}
		}
		contains(t, out, "\x1b[1mWORKLOAD", "job/job-39", "1,000 errors in 41 groups; 20 groups not shown, see --full")

		c = plugin(t, "-n", ns, "--full")
		c.Stdout, c.Stderr = nil, nil
		c.Env = append(c.Env, "NO_COLOR=1")
		if out := c.onTerminal(t, 100, 24); strings.Contains(out, "\x1b") || !strings.Contains(out, "job/bulk") {
			t.Errorf("with NO_COLOR and --full, the terminal shows:\n%q", out)
		}
	})

	t.Run("a list is quiet if it is piped", func(t *testing.T) {
		out, stderr := plugin(t, "list", "-n", ns).want(t, 0)
		if lines := strings.Count(out, "\n"); lines != 42 || stderr != "" || strings.Contains(out, "\x1b") {
			t.Errorf("%d lines, stderr %q, want a header and 41 groups, and nothing on stderr:\n%s", lines, stderr, out)
		}
		contains(t, out, "job/bulk", "960")
		if strings.Contains(out, "second line") {
			t.Error("a message has two lines")
		}
	})

	t.Run("the errors themselves", func(t *testing.T) {
		out, _ := plugin(t, "list", "-n", ns, "-o", "json").want(t, 0)
		var list joberrorv1.JobErrorList
		if err := json.Unmarshal([]byte(out), &list); err != nil || list.Kind != "List" || len(list.Items) != errorsOfOneJob+otherJobs {
			t.Errorf("-o json has %d errors, kind %s, %v", len(list.Items), list.Kind, err)
		}
		out, _ = plugin(t, "-n", ns, "-o", "name", "--job=job-07").want(t, 0)
		if out != "joberror.joberror.io/other-7\n" {
			t.Errorf("-o name --job=job-07 = %q", out)
		}
		out, _ = plugin(t, "-n", ns, "-o", "yaml", "--job=job-07").want(t, 0)
		contains(t, out, "kind: JobError\n", "_jobId: job-07")
	})

	t.Run("Ctrl-C leaves a resolution running", func(t *testing.T) {
		c := plugin(t, "resolve", "job/bulk", "-n", ns, "--reason=fixed")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var jers joberrorv1.JobErrorResolutionList
		harness.Eventually(t, func() string {
			if err := cluster.Client.List(t.Context(), &jers, client.InNamespace(ns)); err != nil {
				return err.Error()
			}
			if len(jers.Items) != 1 {
				return fmt.Sprintf("%d resolutions", len(jers.Items))
			}
			return ""
		})
		c.interrupt(t)
		_, stderr := c.wantEnd(t, 130)
		look := "kubectl get jer " + jers.Items[0].Name + " -n " + ns
		contains(t, stderr, "goes on", look)
		cluster.Kubectl(t, strings.Fields(look)[1:]...)
		jer := cluster.WaitCompleted(t, ns, jers.Items[0].Name)
		if jer.Status.Updated != errorsOfOneJob || jer.Spec.Reason != "fixed" {
			t.Errorf("the resolution ended with %+v", jer.Status)
		}
	})

	t.Run("a bar on a terminal", func(t *testing.T) {
		c := plugin(t, "reopen", "job/bulk", "-n", ns)
		c.Stdout, c.Stderr = nil, nil
		out := c.onTerminal(t, 100, 24)
		contains(t, out, "\rreopened ", "\x1b[K", "job/bulk: 960 of 960 errors reopened")
		if bars := strings.Count(out, "\rreopened "); strings.Count(out, " of 960 [") != bars {
			t.Errorf("not each of %d bars is a part of 960 errors:\n%q", bars, out)
		}
	})

	t.Run("a bar for a user with the role joberror-resolver only", func(t *testing.T) {
		user := "resolver-of-" + ns
		cluster.Grant(t, ns, user, "joberror-resolver")
		c := plugin(t, "resolve", "job/bulk", "-n", ns).as(t, user)
		c.Stdout, c.Stderr = nil, nil
		contains(t, c.onTerminal(t, 100, 24), "\rresolved ", " of 960", "\x1b[K", "job/bulk: 960 of 960 errors resolved")
	})
}

func TestListFindsWorkloads(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "released", harness.Annotated("meta.helm.sh/release-name", "shop")))
	cron := harness.Create(t, cluster.Client, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nightly"},
		Spec:       batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: harness.Job(ns, "x").Spec}},
	})
	run := harness.Create(t, cluster.Client, harness.Job(ns, "nightly-1", harness.Failing("3"), func(job *batchv1.Job) {
		job.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: cron.Name, UID: cron.UID, Controller: ptr.To(true)}}
	}))
	for _, job := range []string{"released", "alone"} {
		harness.Create(t, cluster.Client, harness.JobError(ns, "of-"+job, job))
	}
	cluster.WaitJobCondition(t, ns, run.Name, batchv1.JobFailed)
	if err := cluster.Client.Delete(t.Context(), run, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		out, _ := plugin(t, "-n", ns).want(t, 0)
		for _, want := range []string{"helm/shop ", "cronjob/nightly ", "job/alone "} {
			if !strings.Contains(out, want) {
				return want + "is missing in:\n" + out
			}
		}
		return ""
	})
	out, _ := plugin(t, "-n", ns, "--cronjob=nightly", "--group-by=none", "--class=application").want(t, 0)
	contains(t, out, "NAME", "nightly-1", "application")
	if strings.Contains(out, "alone") {
		t.Errorf("--cronjob=nightly lists another Job:\n%s", out)
	}
	out, _ = plugin(t, "-A", "-o", "wide", "--code=code", "--since=1h").want(t, 0)
	contains(t, out, "NAMESPACE", "JOB", "NEWEST ERROR", ns)
	out, stderr := plugin(t, "-n", ns, "--code=nothing").want(t, 0)
	if out != "" || !strings.Contains(stderr, "No open errors match the flags in namespace "+ns) {
		t.Errorf("without errors: stdout %q, stderr %q", out, stderr)
	}
}

func TestWatch(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "before", "load"))
	c := plugin(t, "watch", "-n", ns, "--code=code")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually := func(want string) {
		t.Helper()
		harness.Eventually(t, func() string {
			if out := c.stdout.String() + c.stderr.String(); !strings.Contains(out, want) {
				return want + " is missing in: " + out
			}
			return ""
		})
	}
	eventually("Waiting for errors")
	harness.Create(t, cluster.Client, harness.JobError(ns, "after", "load"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "other", "load", func(je *joberrorv1.JobError) { je.Spec.Code = "other" }))
	eventually("joberror/after")
	for _, resolved := range []string{"true", "false"} {
		je := harness.JobError(ns, "before", "load")
		if err := cluster.Client.Patch(t.Context(), je, harness.MergePatch(`{"spec":{"resolved":`+resolved+`}}`)); err != nil {
			t.Fatal(err)
		}
	}
	eventually("joberror/before")
	c.interrupt(t)
	out, _ := c.wantEnd(t, 0)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "new       job/load  code  -  joberror/after  message of after") || !strings.Contains(lines[1], "reopened  job/load") {
		t.Errorf("watch printed:\n%s", out)
	}
	_, stderr := plugin(t, "watch", "-n", ns).as(t, "nobody-watch").want(t, 1)
	contains(t, stderr, "forbidden")
}
