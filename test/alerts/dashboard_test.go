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
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	"joberror.io/operator/test/harness"
)

// panelQuery is a query of the dashboard with its variables replaced.
type panelQuery struct{ Panel, Expr string }

// dashboardQueries returns the queries of the dashboard in the chart.
func dashboardQueries(t *testing.T) []panelQuery {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "dashboard"), "-queries")
	file, err := os.ReadFile(filepath.Join(cluster.Root, "charts", "joberror-operator", "files", "joberror.json"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(file)
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

func TestEachQueryOfTheDashboardReturnsData(t *testing.T) {
	prometheus := startPrometheus(t, startAlertmanager(t, startReceiver(t).URL).URL)
	awaitSamples(t, prometheus, `count(up == 1)`, "2")
	ns := cluster.Namespace(t)
	failing := harness.Create(t, cluster.Client, failingCronJob(ns, "weekly"))
	run(t, failing, "weekly-1", batchv1.JobFailed)
	url := "/apis/resolve.joberror.io/v1/namespaces/" + ns + "/jobs/weekly-1/joberrors"
	send(t, "create", url, `[{"message":"bad row","code":"422"},{"message":"worse row","code":"422"}]`)
	send(t, "replace", url+"/resolve", `{}`)
	run(t, failing, "weekly-2", batchv1.JobFailed)

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
				if len(prometheus.Query(t, q.Expr)) == 0 {
					return fmt.Sprintf("no data for %s", q.Expr)
				}
				return ""
			})
		})
	}
}
