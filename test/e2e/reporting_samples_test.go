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

// No container runs on the control plane for tests: what the sample's container
// would run is run here, with the account, the token and the address that its pod
// would have.
func TestTheReportingSamplesReport(t *testing.T) {
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
				t.Skipf("this machine has not what the sample's image has: %v", err)
			}
			host, err := url.Parse(cluster.Config().Host)
			if err != nil {
				t.Fatal(err)
			}
			harness.Eventually(t, func() string {
				cmd := exec.CommandContext(t.Context(), container.Command[0], container.Command[1:]...)
				cmd.Env = append(os.Environ(), "KUBERNETES_SERVICE_HOST="+host.Hostname(), "KUBERNETES_SERVICE_PORT="+host.Port(),
					"JOB="+sample, "SERVICE_ACCOUNT="+account(t, ns, "pipeline"))
				// The API server may not know of the account's role yet.
				if out, err := cmd.CombinedOutput(); err != nil {
					return string(out)
				}
				return ""
			})
			errors := cluster.Errors(t, ns)
			for _, je := range errors {
				if je.Spec.JobID != sample || je.Spec.UserID != "system:serviceaccount:"+ns+":pipeline" {
					t.Errorf("the error is %+v", je.Spec)
				}
			}
			if codes := harness.Names(errors, harness.Code); !slices.Equal(codes, tc.want) {
				t.Errorf("reported are %v, want %v", codes, tc.want)
			}
		})
	}
}

// account is the folder that a pod of the account would find.
func account(t *testing.T, ns, name string) string {
	t.Helper()
	folder := t.TempDir()
	for file, content := range map[string]string{
		"namespace": ns,
		"token":     strings.TrimSpace(cluster.Kubectl(t, "create", "token", name, "-n", ns)),
		"ca.crt":    cluster.Kubectl(t, "get", "configmap", "kube-root-ca.crt", "-n", ns, `-o=jsonpath={.data.ca\.crt}`),
	} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
