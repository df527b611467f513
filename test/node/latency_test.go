//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// exitWithTime makes a container fail with the machine's uptime in its termination
// message. The kernel states it in hundredths of a second.
const exitWithTime = `read -r up _ < /proc/uptime; echo "exit at $up" > /dev/termination-log; exit 3`

// sample holds how long it takes until a watch shows the JobError of a container that exited.
type sample struct {
	// sinceExit begins with the exit, and sinceStatus with the status in which the kubelet
	// reports it.
	sinceExit, sinceStatus time.Duration
}

// BenchmarkCapture measures the time from a container's exit until a watch shows its
// JobError, one container after the other.
func BenchmarkCapture(b *testing.B) {
	ns := cluster.Namespace(b)
	watcher, err := client.NewWithWatch(cluster.Config(), client.Options{})
	if err != nil {
		b.Fatal(err)
	}
	watchIn := func(list client.ObjectList) watch.Interface {
		w, err := watcher.Watch(b.Context(), list, client.InNamespace(ns))
		if err != nil {
			b.Fatal(err)
		}
		return w
	}
	records, pods := watchIn(&joberrorv1.JobErrorList{}), watchIn(&corev1.PodList{})
	defer records.Stop()
	defer pods.Stop()
	reported := &reportedExits{at: map[string]time.Time{}}
	go reported.follow(pods)
	var samples []sample
	for b.Loop() {
		job := shellJob(ns, fmt.Sprintf("job-%d", len(samples)), exitWithTime)
		harness.Create(b, cluster.Client, job)
		samples = append(samples, measureExit(b, records, reported, job.Name))
	}
	for unit, of := range map[string]func(sample) time.Duration{
		"ms":            func(s sample) time.Duration { return s.sinceExit },
		"since-kubelet": func(s sample) time.Duration { return s.sinceStatus },
	} {
		slices.SortFunc(samples, func(x, y sample) int { return cmp.Compare(of(x), of(y)) })
		for _, p := range []int{50, 99} {
			b.ReportMetric(float64(of(samples[(len(samples)-1)*p/100]).Milliseconds()), fmt.Sprintf("p%d-%s", p, unit))
		}
	}
}

// reportedExits holds when a watch showed that the pod of each Job has a container that exited.
type reportedExits struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (r *reportedExits) follow(pods watch.Interface) {
	for event := range pods.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok || len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].State.Terminated == nil {
			continue
		}
		r.mu.Lock()
		if job := pod.Labels[batchv1.JobNameLabel]; r.at[job].IsZero() {
			r.at[job] = time.Now()
		}
		r.mu.Unlock()
	}
}

func (r *reportedExits) of(job string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[job]
}

// measureExit waits for the JobError of a Job's container, and returns the time that it took.
func measureExit(b *testing.B, records watch.Interface, reported *reportedExits, job string) sample {
	b.Helper()
	timeout := time.After(2 * harness.Timeout)
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
			now := time.Now()
			text, err := os.ReadFile("/proc/uptime")
			if err != nil {
				b.Fatal(err)
			}
			s := sample{sinceExit: uptime(b, string(text)) - uptime(b, strings.TrimPrefix(je.Spec.Message, "exit at "))}
			// The watch of pods may be a moment behind.
			harness.Eventually(b, func() string {
				if reported.of(job).IsZero() {
					return "the watch has not shown the exit in Job " + job
				}
				return ""
			})
			s.sinceStatus = now.Sub(reported.of(job))
			return s
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
