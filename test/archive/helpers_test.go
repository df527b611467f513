// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/test/harness"
)

// maxRows limits the rows of one report.
const maxRows = 1000

// report reports n errors that are 10 days old, which is before --retention, while an operator
// runs that keeps them. It returns their UIDs.
func report(t *testing.T, ns string, n int) map[types.UID]string {
	t.Helper()
	process, err := cluster.Operate(t.Context(), "reporter")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What is left would expire in the next test.
		if err := cluster.Client.DeleteAllOf(context.WithoutCancel(t.Context()), &joberrorv1.JobError{}, client.InNamespace(ns)); err != nil {
			t.Error(err)
		}
	})
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	at := time.Now().Add(-10 * 24 * time.Hour).UTC().Format(time.RFC3339)
	for from := 0; from < n; from += maxRows {
		var rows []string
		for i := from; i < min(n, from+maxRows); i++ {
			rows = append(rows, fmt.Sprintf(`{"message":"row %d","createdAt":%q,"extracted":"value %d"}`, i, at, i))
		}
		harness.Eventually(t, func() string {
			response := harness.Do(t, cluster.Config(), http.MethodPost, harness.JobErrorsPath(ns, "job"), "["+strings.Join(rows, ",")+"]")
			if response.Code != http.StatusCreated {
				return fmt.Sprintf("report: code = %d, want 201: %s", response.Code, response.Body)
			}
			return ""
		})
	}
	uids := map[types.UID]string{}
	harness.EventuallyWithin(t, time.Minute, func() string {
		clear(uids)
		for _, je := range cluster.Errors(t, ns) {
			if je.Status.ExpiresAt == nil {
				return je.Name + " has no status yet"
			}
			uids[je.UID] = je.Name
		}
		if len(uids) != n {
			return fmt.Sprintf("%d errors, want %d", len(uids), n)
		}
		return ""
	})
	stop(t, process)
	return uids
}

// archived returns the records of a namespace in the archive, without duplicates.
func archived(t *testing.T, dir, ns string) map[types.UID]archive.Record {
	t.Helper()
	store, err := archive.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	uidOf := func(name string) types.UID { return harness.Get(t, cluster.Client, "", name, &corev1.Namespace{}).UID }
	q := archive.Query{ClusterUID: uidOf("kube-system"), Namespace: ns, NamespaceUID: uidOf(ns), Job: "job", Limit: 1000}
	found := map[types.UID]archive.Record{}
	for {
		page, err := store.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range page.Skipped {
			// A write that failed may leave a part of a file. Its records must be in another one.
			t.Logf("object %s of the archive is skipped: %v", problem.Object, problem.Err)
		}
		for _, r := range page.Records {
			found[types.UID(r.UID)] = r
		}
		if q.Continue = page.Continue; q.Continue == "" {
			return found
		}
	}
}

// files returns the files of the archive.
func files(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// countRows returns how many rows the files of the archive have, including duplicates.
func countRows(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	for _, file := range files(t, dir) {
		rows, err := parquet.ReadFile[archive.Record](file)
		if err != nil {
			t.Fatal(err)
		}
		n += len(rows)
	}
	return n
}

// expectNothingLost fails the test if an error is neither in the cluster nor in the archive.
func expectNothingLost(t *testing.T, all map[types.UID]string, ns, dir string) {
	t.Helper()
	left := maps.Clone(all)
	for _, je := range cluster.Errors(t, ns) {
		delete(left, je.UID)
	}
	for uid := range archived(t, dir, ns) {
		delete(left, uid)
	}
	for _, name := range left {
		t.Errorf("%s is neither in the cluster nor in the archive", name)
	}
}

// waitGone waits until all errors of a namespace have left the cluster.
func waitGone(t *testing.T, ns string) {
	t.Helper()
	harness.EventuallyWithin(t, 2*time.Minute, func() string {
		if left := len(cluster.Errors(t, ns)); left > 0 {
			return fmt.Sprintf("%d errors are still in the cluster", left)
		}
		return ""
	})
}

// expectMoved waits until all errors have left the cluster, and fails the test unless each of them
// is in the archive with all its fields.
func expectMoved(t *testing.T, all map[types.UID]string, ns, dir string) {
	t.Helper()
	waitGone(t, ns)
	found := archived(t, dir, ns)
	if len(found) != len(all) {
		t.Errorf("the archive has %d errors, want %d", len(found), len(all))
	}
	for uid, name := range all {
		r, exists := found[uid]
		if !exists {
			t.Errorf("%s is not in the archive", name)
		} else if row := strings.TrimPrefix(r.Message, "row "); r.Name != name || r.Extracted != "value "+row {
			t.Errorf("%s is in the archive as %s with %q and %q", name, r.Name, r.Message, r.Extracted)
		}
	}
}

// expectHeld waits until n errors are in the cluster, and all of them have the condition.
func expectHeld(t *testing.T, ns string, n int, want string) {
	t.Helper()
	harness.EventuallyWithin(t, time.Minute, func() string {
		errs := cluster.Errors(t, ns)
		if len(errs) != n {
			return fmt.Sprintf("%d errors are in the cluster, want %d", len(errs), n)
		}
		for _, je := range errs {
			if got := harness.Reason(je.Status.Conditions, joberrorv1.ConditionArchived); got != joberrorv1.ReasonStoreUnavailable {
				return fmt.Sprintf("%s has the reason %q", je.Name, got)
			}
			for _, c := range je.Status.Conditions {
				if c.Type == joberrorv1.ConditionArchived && !strings.Contains(c.Message, want) {
					return fmt.Sprintf("the condition says %q, want %q", c.Message, want)
				}
			}
		}
		return ""
	})
}

// metricsFlags make an operator serve its metrics without TLS.
func metricsFlags() []string {
	_, flags := cluster.MetricsWithoutTLS()
	return flags
}

// expectMetric waits until a metric of the operator has a value.
func expectMetric(t *testing.T, want string) {
	t.Helper()
	address, _ := cluster.MetricsWithoutTLS()
	harness.Eventually(t, func() string {
		body, err := harness.ReadMetrics(t.Context(), address)
		if err != nil {
			return err.Error()
		}
		if strings.Contains(body, "\n"+want) {
			return ""
		}
		var similar []string
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, "joberror_archive") && !strings.Contains(line, "_bucket") {
				similar = append(similar, line)
			}
		}
		return fmt.Sprintf("no metric %q:\n%s", want, strings.Join(similar, ""))
	})
}
