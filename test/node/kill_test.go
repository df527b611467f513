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

// Each Job that fails and each request to resolve an error must leave its trace,
// whatever happens to the operator's pods.
func TestNothingIsMissedWhileTheOperatorIsKilled(t *testing.T) {
	const (
		jobs     = 24
		requests = 120
	)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "reported"))
	cluster.CreateMany(t, ns, "reported", requests)

	var running sync.WaitGroup
	problems := make(chan error, 2)
	running.Go(func() { problems <- failJobs(t.Context(), ns, jobs) })
	running.Go(func() { problems <- resolveAll(t, ns, requests) })

	// Its process is killed, and the kubelet starts it again.
	time.Sleep(3 * time.Second)
	killProcess(t, leader(t))
	// Its pod is killed and forgotten at once.
	time.Sleep(8 * time.Second)
	deletePod(t, leader(t), client.GracePeriodSeconds(0))
	// All pods are replaced.
	time.Sleep(8 * time.Second)
	cluster.Kubectl(t, "rollout", "restart", "deployment/joberror-operator", "-n", attribution.OperatorNamespace)
	cluster.Kubectl(t, "rollout", "status", "deployment/joberror-operator", "-n", attribution.OperatorNamespace, "--timeout=180s")
	running.Wait()
	close(problems)
	for err := range problems {
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
	for _, je := range cluster.Holds(t, ns, harness.JobAndCode, want...) {
		if je.Spec.JobID == "reported" && harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) == joberrorv1.ReasonOpen {
			t.Errorf("%s is still open", je.Name)
		}
	}
}

// failJobs creates Jobs that fail, a few at a time.
func failJobs(ctx context.Context, ns string, jobs int) error {
	for i := range jobs {
		if err := cluster.Client.Create(ctx, shellJob(ns, fmt.Sprintf("job-%d", i), "exit 4")); err != nil {
			return err
		}
		time.Sleep(1500 * time.Millisecond)
	}
	return nil
}

// resolveAll resolves one error after the other, and each again until the
// answer says that it is done.
func resolveAll(t *testing.T, ns string, errs int) error {
	failed := 0
	for i := range errs {
		path := fmt.Sprintf("%s/e-%04d/resolve", harness.JobErrors(ns, "reported"), i)
		for deadline := time.Now().Add(2 * time.Minute); ; {
			answer := harness.Do(t, cluster.Config(), "PUT", path, "")
			if answer.Code < 300 {
				break
			}
			failed++
			if time.Now().After(deadline) {
				return fmt.Errorf("%s: %d: %s", path, answer.Code, answer.Body)
			}
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("%d requests were sent again", failed)
	return nil
}

// leader returns the operator's pod that leads.
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
		return fmt.Sprintf("none of %d leases is held by a pod", len(leases.Items))
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
		// A process may end while it is looked at.
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
		t.Fatalf("pod %s has no process", pod.Name)
	}
}
