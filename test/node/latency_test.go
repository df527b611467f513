//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// exitWithTime makes a container fail with the machine's uptime in its termination
// message. The kernel states it in hundredths of a second.
const exitWithTime = `read -r up _ < /proc/uptime; echo "exit at $up" > /dev/termination-log; exit 3`

// BenchmarkCapture measures the time from a container's exit until a watch shows its
// JobError, one container after the other.
func BenchmarkCapture(b *testing.B) {
	ns := cluster.Namespace(b)
	watcher, err := client.NewWithWatch(cluster.Config(), client.Options{})
	if err != nil {
		b.Fatal(err)
	}
	records, err := watcher.Watch(b.Context(), &joberrorv1.JobErrorList{}, client.InNamespace(ns))
	if err != nil {
		b.Fatal(err)
	}
	defer records.Stop()
	var took []time.Duration
	for b.Loop() {
		job := shellJob(ns, fmt.Sprintf("job-%d", len(took)), exitWithTime)
		harness.Create(b, cluster.Client, job)
		took = append(took, sinceExit(b, records, job.Name))
	}
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[(len(took)-1)*p/100].Milliseconds()), fmt.Sprintf("p%d-ms", p))
	}
}

// sinceExit waits for the JobError of a Job's container, and returns the time since the
// container's exit.
func sinceExit(b *testing.B, records watch.Interface, job string) time.Duration {
	b.Helper()
	timeout := time.After(harness.Timeout)
	for {
		select {
		case <-timeout:
			b.Fatalf("Job %s has no JobError of its container", job)
		case event, open := <-records.ResultChan():
			if !open {
				b.Fatal("the watch of JobErrors ended")
			}
			je, ok := event.Object.(*joberrorv1.JobError)
			if !ok || event.Type != watch.Added || je.Spec.JobID != job || je.Spec.Code != "ExitCode:3" {
				continue
			}
			text, err := os.ReadFile("/proc/uptime")
			if err != nil {
				b.Fatal(err)
			}
			return uptime(b, string(text)) - uptime(b, strings.TrimPrefix(je.Spec.Message, "exit at "))
		}
	}
}

// uptime parses the first number of /proc/uptime.
func uptime(b *testing.B, text string) time.Duration {
	b.Helper()
	seconds, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(f * float64(time.Second))
}
