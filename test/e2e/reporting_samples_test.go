// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	"joberror.io/operator/test/harness"
)

// The test control plane runs no containers. The test runs the command of the sample's
// container itself, with the service account, the token and the API server address that its
// pod would have.
func TestReportingSamplesReport(t *testing.T) {
	t.Parallel()
	for sample, tc := range map[string]struct {
		program string
		want    []string
	}{
		"report-with-curl":   {"curl", []string{"duplicate_key", "invalid_date"}},
		"report-with-python": {"python3", []string{"invalid_amount", "invalid_amount"}},
	} {
		t.Run(sample, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			cluster.Kubectl(t, "apply", "-n", ns, "-k", filepath.Join(cluster.Root, "config", "samples", "reporting"))
			container := harness.Get(t, cluster.Client, ns, sample, &batchv1.Job{}).Spec.Template.Spec.Containers[0]
			if _, err := exec.LookPath(tc.program); err != nil {
				t.Skipf("the sample's image has this program, but this machine does not: %v", err)
			}
			host, err := url.Parse(cluster.Config().Host)
			if err != nil {
				t.Fatal(err)
			}
			harness.Eventually(t, func() string {
				cmd := exec.CommandContext(t.Context(), container.Command[0], container.Command[1:]...)
				cmd.Env = append(os.Environ(), "KUBERNETES_SERVICE_HOST="+host.Hostname(), "KUBERNETES_SERVICE_PORT="+host.Port(),
					"JOB="+sample, "SERVICE_ACCOUNT="+serviceAccountDir(t, ns, "pipeline"))
				// The API server may not apply the service account's role yet.
				if out, err := cmd.CombinedOutput(); err != nil {
					return string(out)
				}
				return ""
			})
			jobErrors := cluster.Errors(t, ns)
			for _, je := range jobErrors {
				if je.Spec.JobID != sample || je.Spec.UserID != "system:serviceaccount:"+ns+":pipeline" {
					t.Errorf("spec = %+v, want an error of %s reported by the service account", je.Spec, sample)
				}
			}
			if codes := harness.Names(jobErrors, harness.Code); !slices.Equal(codes, tc.want) {
				t.Errorf("codes = %v, want %v", codes, tc.want)
			}
		})
	}
}

// serviceAccountDir returns a directory with the files that a pod of the service account
// would find.
func serviceAccountDir(t *testing.T, ns, name string) string {
	t.Helper()
	dir := t.TempDir()
	for file, content := range map[string]string{
		"namespace": ns,
		"token":     strings.TrimSpace(cluster.Kubectl(t, "create", "token", name, "-n", ns)),
		"ca.crt":    cluster.Kubectl(t, "get", "configmap", "kube-root-ca.crt", "-n", ns, `-o=jsonpath={.data.ca\.crt}`),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
