// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// serveLogs serves the containers' logs in place of the kubelet, and points the node's
// status to them.
func serveLogs(t *testing.T, respond func(r *http.Request) (int, string)) {
	t.Helper()
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, text := respond(r)
		w.WriteHeader(code)
		// The client may be gone.
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(kubelet.Close)
	port := kubelet.Listener.Addr().(*net.TCPAddr).Port
	patch := fmt.Sprintf(`{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":%d}}}}`, port)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "dev-node"}}
	if err := cluster.Client.Status().Patch(t.Context(), node, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

func TestUsesTheEndOfTheLogAsTheMessage(t *testing.T) {
	ns := cluster.Namespace(t)
	cluster.Kubectl(t, "apply", "-f", filepath.Join(cluster.Root, "config", "capture-logs", "role.yaml"))
	harness.Eventually(t, func() string {
		out, err := cluster.Run(t.Context(), nil, "auth", "can-i", "get", "pods", "--subresource=log", "-A", "--as="+attribution.OperatorUser)
		if err != nil {
			return out + err.Error()
		}
		return ""
	})
	serveLogs(t, func(r *http.Request) (int, string) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/containerLogs/"+ns+"/lost-"):
			return http.StatusInternalServerError, "the node lost the log"
		case strings.HasPrefix(path, "/containerLogs/"+ns+"/silent-") && strings.HasSuffix(path, "/main"):
			return http.StatusOK, fmt.Sprintf("connecting\nno such table\nof %s lines\n", r.URL.Query().Get("tailLines"))
		case strings.HasPrefix(path, "/containerLogs/"+ns+"/long-"):
			return http.StatusOK, strings.Repeat("x", 1<<20) + "\nno such table\n"
		default:
			t.Errorf("unexpected request for %s", path)
			return http.StatusNotFound, ""
		}
	})
	operate(t, "--capture-log-lines=3")
	harness.Create(t, cluster.Client, harness.Job(ns, "silent", harness.Failing("3")))
	harness.Create(t, cluster.Client, harness.Job(ns, "long", harness.Failing("3")))
	harness.Create(t, cluster.Client, harness.Job(ns, "lost", harness.Failing("3")))
	harness.Create(t, cluster.Client, harness.Job(ns, "with-message", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.Template.Annotations["dev.joberror.io/message"] = "termination message"
	}))
	want := map[string]string{
		"silent":       "connecting\nno such table\nof 3 lines",
		"long":         "…\nno such table",
		"lost":         "the container ended with exit code 3",
		"with-message": "termination message",
	}
	captured := cluster.WaitErrors(t, ns, harness.JobAndCode, "long/BackoffLimitExceeded", "long/ExitCode:3", "lost/BackoffLimitExceeded", "lost/ExitCode:3", "silent/BackoffLimitExceeded", "silent/ExitCode:3",
		"with-message/BackoffLimitExceeded", "with-message/ExitCode:3")
	for _, je := range captured {
		if je.Spec.Code == "ExitCode:3" && je.Spec.Message != want[je.Spec.JobID] {
			t.Errorf("message of %s = %q, want %q", je.Spec.JobID, je.Spec.Message, want[je.Spec.JobID])
		}
	}
}
