// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	"joberror.io/operator/test/harness"
)

// dashboardFile returns the dashboard in the chart.
func dashboardFile(t *testing.T) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(cluster.Root, "charts", "joberror-operator", "files", "joberror.json"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// panelQuery is a query of the dashboard with its variables replaced.
type panelQuery struct{ Panel, Expr string }

// dashboardQueries returns the queries of the dashboard in the chart.
func dashboardQueries(t *testing.T) []panelQuery {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "dashboard"), "-queries")
	cmd.Stdin = bytes.NewReader(dashboardFile(t))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("read the queries of the dashboard: %v", err)
	}
	var queries []panelQuery
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var q panelQuery
		if err := decoder.Decode(&q); errors.Is(err, io.EOF) {
			return queries
		} else if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, q)
	}
}

// send sends a body to an endpoint of the aggregated API with a command of kubectl.
func send(t *testing.T, command, url, body string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.Kubectl(t, command, "--raw", url, "-f", file)
}

// samplesOf returns the samples of a query that have a value: a quantile of nothing is NaN.
func samplesOf(t *testing.T, prometheus *harness.Monitor, expression string) []harness.Sample {
	t.Helper()
	return slices.DeleteFunc(prometheus.Query(t, expression), func(s harness.Sample) bool { return s.Value == "NaN" })
}

func TestEachQueryOfTheDashboardReturnsData(t *testing.T) {
	prometheus := startPrometheus(t, startAlertmanager(t, startReceiver(t).URL).URL)
	awaitSamples(t, prometheus, `count(up == 1)`, "2")
	ns := cluster.Namespace(t)
	failing := harness.Create(t, cluster.Client, failingCronJob(ns, "weekly"))
	run(t, failing, "weekly-1", batchv1.JobFailed)
	endpoint := func(job string) string {
		return "/apis/resolve.joberror.io/v1/namespaces/" + ns + "/jobs/" + job + "/joberrors"
	}
	send(t, "create", endpoint("weekly-1"), `[{"message":"bad row","code":"422"},{"message":"worse row","code":"422"}]`)
	send(t, "replace", endpoint("weekly-1")+"/resolve", `{}`)
	run(t, failing, "weekly-2", batchv1.JobFailed)
	// The rate of requests needs a series that grows after it was scraped.
	awaitSamples(t, prometheus, `count(joberror_api_request_duration_seconds_count{method="post"}) > bool 0`, "1")
	harness.Create(t, cluster.Client, harness.Job(ns, "import"))
	send(t, "create", endpoint("import"), `[{"message":"bad row","code":"422"}]`)

	// The quota refuses the records of the next failures.
	full := cluster.Namespace(t)
	cluster.Kubectl(t, "create", "quota", "none", "-n", full, "--hard=count/joberrors.joberror.io=0")
	job := harness.Create(t, cluster.Client, harness.Job(full, "refused", harness.Failing("3")))
	cluster.WaitJobCondition(t, full, job.Name, batchv1.JobFailed)

	queries := dashboardQueries(t)
	if len(queries) < 20 {
		t.Fatalf("the dashboard has %d queries", len(queries))
	}
	for _, q := range queries {
		t.Run(strings.ReplaceAll(q.Panel, " ", "-"), func(t *testing.T) {
			harness.Eventually(t, func() string {
				if len(samplesOf(t, prometheus, q.Expr)) == 0 {
					return fmt.Sprintf("no data for %s", q.Expr)
				}
				return ""
			})
		})
	}
	awaitSamples(t, prometheus, `count(count by (workload) (joberror_open_errors{namespace="`+ns+`"}))`, "2")
	checkTheListOfWorkloads(t, prometheus, ns, queries)
	checkTheVariables(t, prometheus, ns)
}

// checkTheListOfWorkloads checks that the list has one row for each workload with open errors of
// the chosen class. All queries of a list add rows to it.
func checkTheListOfWorkloads(t *testing.T, prometheus *harness.Monitor, ns string, queries []panelQuery) {
	t.Helper()
	var columns int
	for _, q := range queries {
		if q.Panel != "Open errors by workload" {
			continue
		}
		columns++
		expression := strings.NewReplacer(`class=~".*"`, `class=~"application"`, `namespace=~".*"`, `namespace=~"`+ns+`"`).Replace(q.Expr)
		var rows []string
		for _, sample := range samplesOf(t, prometheus, expression) {
			rows = append(rows, sample.Labels["workload_kind"]+"/"+sample.Labels["workload"])
		}
		if want := []string{"CronJob/weekly"}; !slices.Equal(rows, want) {
			t.Errorf("the rows of %s are %v, want %v", expression, rows, want)
		}
	}
	if columns != 2 {
		t.Errorf("the list has %d queries, want 2", columns)
	}
}

// checkTheVariables checks that the user can choose the namespace and each class of its errors.
func checkTheVariables(t *testing.T, prometheus *harness.Monitor, ns string) {
	t.Helper()
	var file struct {
		Templating struct {
			List []struct{ Type, Name, Query string }
		}
	}
	if err := json.Unmarshal(dashboardFile(t), &file); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"namespace": ns, "class": "application"}
	for _, v := range file.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := labelValues.FindStringSubmatch(v.Query)
		if parts == nil {
			t.Fatalf("the variable %s has the query %s", v.Name, v.Query)
		}
		got := prometheus.LabelValues(t, parts[2], strings.ReplaceAll(parts[1], "$namespace", ns))
		if !slices.Contains(got, want[v.Name]) {
			t.Errorf("the variable %s offers %q, want %q", v.Name, got, want[v.Name])
		}
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("the dashboard has no variable for %v", want)
	}
}

// labelValues is a query of a variable: a selector and a label.
var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
