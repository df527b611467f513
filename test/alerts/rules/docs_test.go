// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"joberror.io/operator/test/harness"
)

// example returns the YAML block of docs/alerts.md that begins with a comment.
func example(t *testing.T, comment string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "alerts.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(page), "```yaml\n# "+comment+"\n")
	if !found {
		t.Fatalf("docs/alerts.md has no block that begins with %q", comment)
	}
	block, _, _ = strings.Cut(block, "```")
	return block
}

func TestRoutingExampleReachesWhoCanFixIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "alertmanager.yaml"), []byte(example(t, "alertmanager.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Amtool(t, dir, "check-config", "alertmanager.yaml")
	for _, tc := range []struct {
		receiver string
		labels   []string
	}{
		{"nobody", []string{"alertname=KubeJobFailed", "namespace=payments"}},
		{"platform", []string{"alertname=JobErrorsOpen", "class=infrastructure", "namespace=payments", "severity=critical"}},
		{"platform", []string{"alertname=JobErrorsSurge", "class=infrastructure", "namespace=reports"}},
		{"payments-pager", []string{"alertname=CronJobFailing", "namespace=payments-eu", "severity=critical"}},
		{"payments", []string{"alertname=CronJobFailing", "namespace=payments", "severity=warning"}},
		{"payments", []string{"alertname=JobErrorsSurge", "class=data", "namespace=payments"}},
		{"reports", []string{"alertname=JobErrorsOpen", "class=application", "namespace=reports"}},
		{"reports", []string{"alertname=CronJobMissed", "namespace=reports", "severity=critical"}},
		// An alert about the operator, and one of a namespace without an owner.
		{"platform", []string{"alertname=JobErrorNoLeader", "severity=critical"}},
		{"platform", []string{"alertname=JobErrorsOpen", "class=data", "namespace=other"}},
	} {
		t.Run(strings.Join(tc.labels, ","), func(t *testing.T) {
			t.Parallel()
			harness.Amtool(t, dir, append([]string{"config", "routes", "test", "--config.file=alertmanager.yaml", "--verify.receivers=" + tc.receiver}, tc.labels...)...)
		})
	}
}

func TestInhibitionExampleHidesWhatIsKnown(t *testing.T) {
	t.Parallel()
	alertmanager := harness.StartAlertmanager(t, example(t, "alertmanager.yaml"))
	workload := func(name, alert, class string) map[string]string {
		return map[string]string{"alertname": alert, "namespace": "other", "workload_kind": "CronJob", "workload": name, "class": class}
	}
	inNamespace := func(namespace string, labels map[string]string) map[string]string {
		labels["namespace"] = namespace
		return labels
	}
	// By the name of the workload and of the alert.
	inhibited := map[string]bool{
		"failing/CronJobFailing": false, "failing/JobErrorsOpen": true, "once/JobErrorsOpen": false,
		"surging/JobErrorsOpen": true, "/JobErrorsSurge": false, "lost/CronJobFailing": false, "lost/JobErrorsOpen": false,
	}
	alerts := []map[string]string{
		workload("failing", "CronJobFailing", ""), workload("failing", "JobErrorsOpen", "application"),
		workload("once", "JobErrorsOpen", "application"), workload("surging", "JobErrorsOpen", "infrastructure"),
		{"alertname": "JobErrorsSurge", "namespace": "other", "class": "infrastructure"},
		inNamespace("calm", workload("lost", "CronJobFailing", "")), inNamespace("calm", workload("lost", "JobErrorsOpen", "infrastructure")),
	}
	post(t, alertmanager.URL, alerts)
	harness.Eventually(t, func() string {
		var got []struct {
			Labels map[string]string
			Status struct{ InhibitedBy []string }
		}
		response, err := http.Get(alertmanager.URL + "/api/v2/alerts")
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
			return err.Error()
		}
		if len(got) != len(alerts) {
			return fmt.Sprintf("Alertmanager has %d alerts, want %d", len(got), len(alerts))
		}
		for _, alert := range got {
			name := alert.Labels["workload"] + "/" + alert.Labels["alertname"]
			if is := len(alert.Status.InhibitedBy) > 0; is != inhibited[name] {
				return fmt.Sprintf("%s is inhibited: %t, want %t", name, is, inhibited[name])
			}
		}
		return ""
	})
}

// post sends alerts with these labels to an Alertmanager.
func post(t *testing.T, url string, alerts []map[string]string) {
	t.Helper()
	type alert struct {
		Labels map[string]string `json:"labels"`
		EndsAt time.Time         `json:"endsAt"`
	}
	var body []alert
	for _, labels := range alerts {
		body = append(body, alert{Labels: labels, EndsAt: time.Now().Add(time.Hour)})
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url+"/api/v2/alerts", "application/json", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("post alerts: %s", response.Status)
	}
}

func TestExamplesAreYAML(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "alerts.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")[1:]
	if len(blocks) != 3 {
		t.Errorf("found %d blocks of YAML, want 3", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		var parsed map[string]any
		if err := yaml.UnmarshalStrict([]byte(block), &parsed); err != nil || len(parsed) == 0 {
			t.Errorf("parse %v: %v\n%s", parsed, err, block)
		}
	}
}

// The page states the defaults of the chart.
func TestDocumentedValuesAreTheChartsDefaults(t *testing.T) {
	t.Parallel()
	var documented, defaults struct {
		Prometheus struct {
			UserAlerts map[string]any `json:"userAlerts"`
		} `json:"prometheus"`
	}
	data, err := os.ReadFile(filepath.Join(harness.Root(), "charts", "joberror-operator", "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &defaults); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(example(t, "values.yaml")), &documented); err != nil {
		t.Fatal(err)
	}
	got, want := fmt.Sprint(documented.Prometheus.UserAlerts), fmt.Sprint(defaults.Prometheus.UserAlerts)
	if got != want || len(documented.Prometheus.UserAlerts) == 0 {
		t.Errorf("docs/alerts.md has the values\n%s\nwant\n%s", got, want)
	}
}
