// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// The samples apply, and each command of the README's tour works as the README says.
func TestREADMETourWorks(t *testing.T) {
	t.Parallel()
	shell := func(script string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		cmd.Dir = cluster.Root
		cmd.Env = append(cluster.KubectlEnv(), cluster.PathWithPlugin(t))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v\n%s", script, err, out)
		}
		return string(out)
	}
	shell("kubectl apply -k config/samples")
	awaitRow := func(name string, matches func(*joberrorv1.JobError) bool) {
		t.Helper()
		cluster.WaitFor(t, "default", "nightly-import-row-"+name, matches)
	}
	for _, name := range []string{"17", "230", "801"} {
		awaitRow(name, withLinkReason(joberrorv1.ReasonJobFound))
	}
	harness.Eventually(t, func() string {
		return missing(shell("kubectl get job nightly-import"), nil, "Failed")
	})
	for _, block := range tourScripts(t) {
		out := shell(block)
		switch {
		case strings.Contains(block, "describe job"):
			harness.Eventually(t, func() string { return missing(shell(block), nil, "ErrorRecorded", "nightly-import-row-801") })
		case strings.Contains(block, "joberrors show"):
			harness.Eventually(t, func() string {
				return missing(shell(block), nil, "WORKLOAD", "job/nightly-import", "duplicate_key", "Next:", "kubectl joberrors retry job/nightly-import")
			})
		case strings.Contains(block, `"resolved":true`):
			awaitRow("17", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "admin" })
		case strings.Contains(block, "replace --raw"):
			awaitRow("230", isResolved)
			awaitRow("801", isResolved)
		case strings.Contains(block, `"resolved":false`):
			if !strings.Contains(out, `"_id":"nightly-import-row-17"`) || strings.Contains(out, "row-230") {
				t.Errorf("open records = %s, want only row 17", out)
			}
		case strings.Contains(block, "delete job"):
			awaitRow("17", withLinkReason(joberrorv1.ReasonJobDeleted))
		case strings.Contains(block, "cronjob.yaml"):
			harness.Eventually(t, func() string {
				return missing(shell("kubectl get je -l joberror.io/cronjob-name=nightly-report"), nil, "ExitCode:4", "BackoffLimitExceeded")
			})
		case strings.Contains(block, "patch cronjob"):
			harness.Eventually(t, func() string {
				reasons := shell(`kubectl get je -l joberror.io/cronjob-name=nightly-report -o jsonpath='{range .items[*]}{.spec.code}={.status.conditions[?(@.type=="Resolved")].reason} {end}'`)
				return missing(reasons, nil, "ExitCode:4=RetrySucceeded", "BackoffLimitExceeded=RetrySucceeded")
			})
		case strings.Contains(block, "my-job"):
			if !strings.Contains(out, "something went wrong") && !strings.Contains(out, "my-job-") {
				t.Errorf("output = %s, want the reported error", out)
			}
		case strings.Contains(block, "joberrorresolution.yaml"):
			cluster.WaitCompleted(t, "default", "nightly-import-fixed")
			awaitRow("17", isResolved)
		}
	}
}

// tourScripts returns the shell blocks of the README's tour. It skips the first block, which
// selects the control plane of "make run".
func tourScripts(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(cluster.Root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "## Five minutes")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1)
	if !found || len(blocks) < 5 || !strings.Contains(blocks[0][1], "export KUBECONFIG") {
		t.Fatalf("the README's section \"Five minutes\" has %d blocks, want at least 5, the first with export KUBECONFIG", len(blocks))
	}
	var scripts []string
	for _, block := range blocks[1:] {
		scripts = append(scripts, block[1])
	}
	return scripts
}
