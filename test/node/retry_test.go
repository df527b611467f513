//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// The pipelines report what they could not import and fail. Their retries import only that.
func TestRetriedPipelinesImportOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	samples := filepath.Join(cluster.Root, "config", "samples")
	cluster.Kubectl(t, "apply", "-n", ns, "-k", filepath.Join(samples, "retrying"))
	for _, job := range []string{"rows-with-curl", "rows-with-python"} {
		cluster.WaitJobCondition(t, ns, job, batchv1.JobFailed)
		// Two rows, the exit code, and that the Job has failed.
		harness.Eventually(t, func() string {
			if open := openErrors(t, ns, job); open != 4 {
				return fmt.Sprintf("%d open errors of %s, want 4", open, job)
			}
			return ""
		})
	}
	manifest, err := os.ReadFile(filepath.Join(samples, "joberrorretry.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	inNamespace := strings.ReplaceAll(string(manifest), "namespace: default", "namespace: "+ns)
	if out, err := cluster.Run(t.Context(), strings.NewReader(inNamespace), "create", "-f", "-"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	harness.Create(t, cluster.Client, &joberrorv1.JobErrorRetry{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "curl-again"}, Spec: joberrorv1.JobErrorRetrySpec{JobID: "rows-with-curl"},
	})
	for name, job := range map[string]string{"rows-again": "rows-with-python", "curl-again": "rows-with-curl"} {
		awaitSuccess(t, ns, name)
		harness.Eventually(t, func() string {
			if open := openErrors(t, ns, job); open != 0 {
				return fmt.Sprintf("%d open errors of %s, want none", open, job)
			}
			return ""
		})
	}
	if log := cluster.Kubectl(t, "logs", "-n", ns, "job/rows-with-python-r1"); strings.Contains(log, "row 18") || !strings.Contains(log, "row 230 8.2") {
		t.Errorf("log of the retry:\n%s\nwant only rows 17 and 230", log)
	}
}

// openErrors returns how many open errors a Job has.
func openErrors(t *testing.T, ns, job string) int {
	t.Helper()
	open := 0
	for _, je := range cluster.Errors(t, ns) {
		if je.Spec.JobID == job && !je.Spec.Resolved {
			open++
		}
	}
	return open
}

// awaitSuccess waits until a retry has succeeded.
func awaitSuccess(t *testing.T, ns, name string) {
	t.Helper()
	harness.Eventually(t, func() string {
		jet := harness.Get(t, cluster.Client, ns, name, &joberrorv1.JobErrorRetry{})
		if !meta.IsStatusConditionTrue(jet.Status.Conditions, joberrorv1.ConditionSucceeded) {
			return fmt.Sprintf("retry %s: %+v", name, jet.Status)
		}
		return ""
	})
}

// Three of a hundred indexes fail until a ConfigMap says that they are fixed.
func TestOnlyFailedIndexesRunAgain(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.GrantRetryIndexes(t, ns)
	cluster.Kubectl(t, "create", "-n", ns, "-f", filepath.Join(cluster.Root, "config", "samples", "retrying", "indexed.yaml"))
	cluster.WaitJobCondition(t, ns, "hundred", batchv1.JobFailed)
	cluster.Kubectl(t, "create", "configmap", "fixed", "-n", ns, "--from-literal=all=yes")
	harness.Create(t, cluster.Client, &joberrorv1.JobErrorRetry{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "again"}, Spec: joberrorv1.JobErrorRetrySpec{JobID: "hundred"},
	})
	awaitSuccess(t, ns, "again")
	pods := strings.Fields(cluster.Kubectl(t, "get", "pods", "-n", ns, "-l", batchv1.JobNameLabel+"=hundred-r1",
		"-o", `jsonpath={.items[*].metadata.annotations.batch\.kubernetes\.io/job-completion-index}`))
	if len(pods) != 3 {
		t.Errorf("indexes that ran again = %v, want three", pods)
	}
}
