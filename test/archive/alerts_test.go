// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// Parts of the alerts that are minutes or hours long.
var (
	windows = regexp.MustCompile(`\[\d+[mh]\]`)
	waits   = regexp.MustCompile(`for: \d+[mh]\n`)
)

// startPrometheus starts a Prometheus that scrapes the operator each second and evaluates the
// alerts about it, with short windows.
func startPrometheus(t *testing.T) *harness.Monitor {
	t.Helper()
	rules := windows.ReplaceAll(harness.Rules(t, "alerts"), []byte("[30s]"))
	rules = waits.ReplaceAll(rules, []byte("for: 2s\n"))
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, rules, 0o600); err != nil {
		t.Fatal(err)
	}
	return harness.StartPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs:
- job_name: joberror-operator
  honor_labels: true
  static_configs:
  - targets: ["127.0.0.1:%d"]
    labels: {namespace: %s}
`, file, cluster.Ports.MetricsPort, attribution.OperatorNamespace))
}

// expectAlerts waits until a query returns exactly these alerts, by name and reason.
func expectAlerts(t *testing.T, prometheus *harness.Monitor, query string, want ...string) {
	t.Helper()
	harness.Eventually(t, func() string {
		var alerts []string
		for _, s := range prometheus.Query(t, query) {
			alerts = append(alerts, strings.TrimSpace(s.Labels["alertname"]+" "+s.Labels["reason"]))
		}
		if slices.Sort(alerts); !slices.Equal(alerts, want) {
			return fmt.Sprintf("%s has the alerts %q, want %q", query, alerts, want)
		}
		return ""
	})
}

// commandOf returns what an alert says to type.
func commandOf(t *testing.T, name string) string {
	t.Helper()
	alerts := harness.Alerts(t, "alerts")
	i := slices.IndexFunc(alerts, func(a harness.Alert) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("there is no alert %s", name)
	}
	return alerts[i].Annotations["command"]
}

// typeCommand waits until a command of an alert prints a text. This operator is no pod, so
// kubectl logs reads the file with its log instead.
func typeCommand(t *testing.T, command, log, want string) {
	t.Helper()
	script := `kubectl() { if [ "$1" = logs ]; then cat "$LOG"; else "$KUBECTL" "$@"; fi; }; ` + command
	harness.Eventually(t, func() string {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
		cmd.Env = append(cluster.KubectlEnv(), "KUBECTL="+cluster.KubectlPath(), "LOG="+log)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			return fmt.Sprintf("%s: %v: %s", command, err, out)
		}
		return ""
	})
}

func TestAlertsFireWhileTheArchiveFails(t *testing.T) {
	const firing = `ALERTS{alertname=~"JobErrorArchive.*", alertstate="firing"}`
	ns, dir := cluster.Namespace(t), t.TempDir()
	report(t, ns, 20)
	obstacle := filepath.Join(dir, "cluster="+clusterUID(t))
	if err := os.WriteFile(obstacle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	prometheus := startPrometheus(t)
	// Errors are lost two intervals after the start. Prometheus must have scraped the operator
	// before that, or it sees no increase.
	operator := operate(t, "file://"+dir, append(metricsFlags(), "--archive-interval=5s", "--archive-backlog=15")...)
	expectAlerts(t, prometheus, "max_over_time("+firing+"[5m])", "JobErrorArchiveFails Unavailable", "JobErrorArchiveLost")
	typeCommand(t, commandOf(t, "JobErrorArchiveFails"), operator.Log, "not a directory")
	typeCommand(t, commandOf(t, "JobErrorArchiveLost"), operator.Log, "deleted without being archived, because more than 15 wait")
	expectAlerts(t, prometheus, firing, "JobErrorArchiveFails Unavailable")

	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name })
	if got := len(archived(t, dir, ns)); got != 15 {
		t.Errorf("the archive has %d errors, want the 15 that could wait", got)
	}
	expectAlerts(t, prometheus, firing)
}
