//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// Every Job that fails must be recorded and every request to resolve an error must take
// effect, no matter what happens to the operator's pods.
func TestMissesNothingWhileTheOperatorIsKilled(t *testing.T) {
	const (
		jobs     = 24
		requests = 120
	)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "reported"))
	cluster.CreateMany(t, ns, "reported", requests)

	var background sync.WaitGroup
	results := make(chan error, 2)
	background.Go(func() { results <- failJobs(t.Context(), ns, jobs) })
	background.Go(func() { results <- resolveAll(t, ns, requests) })

	// Kill the leader's process. The kubelet starts it again.
	time.Sleep(3 * time.Second)
	killProcess(t, leader(t))
	// Delete the leader's pod without a grace period.
	time.Sleep(8 * time.Second)
	deletePod(t, leader(t), client.GracePeriodSeconds(0))
	// Replace all pods.
	time.Sleep(8 * time.Second)
	cluster.Kubectl(t, "rollout", "restart", "deployment/joberror-operator", "-n", attribution.OperatorNamespace)
	cluster.Kubectl(t, "rollout", "status", "deployment/joberror-operator", "-n", attribution.OperatorNamespace, "--timeout=180s")
	background.Wait()
	close(results)
	for err := range results {
		if err != nil {
			t.Error(err)
		}
	}

	var want []string
	for i := range jobs {
		want = append(want, fmt.Sprintf("job-%d/BackoffLimitExceeded", i), fmt.Sprintf("job-%d/ExitCode:4", i))
	}
	for range requests {
		want = append(want, "reported/code")
	}
	for _, je := range cluster.WaitErrors(t, ns, harness.JobAndCode, want...) {
		if je.Spec.JobID == "reported" && harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) == joberrorv1.ReasonOpen {
			t.Errorf("%s is still open", je.Name)
		}
	}
}

// failJobs creates Jobs that fail, one after the other.
func failJobs(ctx context.Context, ns string, jobs int) error {
	for i := range jobs {
		if err := cluster.Client.Create(ctx, shellJob(ns, fmt.Sprintf("job-%d", i), "exit 4")); err != nil {
			return err
		}
		time.Sleep(1500 * time.Millisecond)
	}
	return nil
}

// resolveAll resolves one error after the other. It retries each until the request
// succeeds.
func resolveAll(t *testing.T, ns string, n int) error {
	retries := 0
	for i := range n {
		path := fmt.Sprintf("%s/e-%04d/resolve", harness.JobErrorsPath(ns, "reported"), i)
		for deadline := time.Now().Add(2 * time.Minute); ; {
			response := harness.Do(t, cluster.Config(), "PUT", path, "")
			if response.Code < 300 {
				break
			}
			retries++
			if time.Now().After(deadline) {
				return fmt.Errorf("%s: %d: %s", path, response.Code, response.Body)
			}
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("retried %d requests", retries)
	return nil
}

// leader returns the operator pod that leads.
func leader(t *testing.T) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{}
	harness.Eventually(t, func() string {
		var leases coordinationv1.LeaseList
		if err := cluster.Client.List(t.Context(), &leases, client.InNamespace(attribution.OperatorNamespace)); err != nil {
			return err.Error()
		}
		for _, lease := range leases.Items {
			if lease.Spec.HolderIdentity == nil {
				continue
			}
			name, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
			if err := cluster.Client.Get(t.Context(), harness.Key(attribution.OperatorNamespace, name), pod); err == nil {
				return ""
			}
		}
		return fmt.Sprintf("no operator pod holds one of the %d leases", len(leases.Items))
	})
	return pod
}

// killProcess kills the operator's process in a pod.
func killProcess(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	killed := slices.ContainsFunc(files, func(file string) bool {
		// A process may end while its files are read.
		command, _ := os.ReadFile(file)
		group, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cgroup"))
		if !bytes.HasPrefix(command, []byte("/operator\x00")) || !strings.Contains(string(group), string(pod.UID)) {
			return false
		}
		var pid int
		_, err := fmt.Sscanf(file, "/proc/%d/cmdline", &pid)
		if err = errors.Join(err, syscall.Kill(pid, syscall.SIGKILL)); err != nil {
			t.Fatal(err)
		}
		return true
	})
	if !killed {
		t.Fatalf("pod %s has no operator process", pod.Name)
	}
}
