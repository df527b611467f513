// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// wantKeys holds the keys of the failures in each recording in testdata/watch. test/node
// recorded these pods, which a real kubelet ran. A container that was stopped has not
// failed.
var wantKeys = map[string][]string{
	"cronjob-replace":                  nil,
	"delete-background-exit-0":         nil,
	"delete-background-exit-1":         nil,
	"delete-background-killed":         nil,
	"delete-foreground":                nil,
	"delete-image-missing":             {"wait/main/ImagePullBackOff"},
	"delete-orphan":                    nil,
	"delete-pod":                       nil,
	"delete-pod-force":                 nil,
	"delete-pod-twice":                 nil,
	"delete-while-init-runs":           nil,
	"delete-while-pulling":             nil,
	"exit-3":                           {"exit/main/ExitCode:3"},
	"exit-3-ttl-0":                     {"exit/main/ExitCode:3"},
	"job-deadline":                     nil,
	"on-failure-backoff-limit":         {"exit/main/ExitCode:5"},
	"on-failure-backoff-limit-running": {"exit/main/ExitCode:5"},
	"one-exits-3-at-deletion":          {"exit/main/ExitCode:3"},
	"one-exits-3-then-deleted":         {"exit/main/ExitCode:3"},
	"parallelism-reduced":              nil,
	"pod-deadline":                     {"pod/DeadlineExceeded"},
	"sidecar-deleted":                  nil,
	"sidecar-main-fails":               {"exit/main/ExitCode:8"},
	"sidecar-main-succeeds":            nil,
	"success-policy":                   nil,
	"suspend":                          nil,
}

// loadRecording returns the states of the pods in a recording, as if the node's clock was
// off by skew.
func loadRecording(t *testing.T, name string, skew time.Duration) []*corev1.Pod {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "watch", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var states []*corev1.Pod
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Object *corev1.Pod }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		p := event.Object
		p.Spec.TerminationGracePeriodSeconds = ptr.To[int64](3)
		if strings.HasPrefix(name, "sidecar-") {
			p.Spec.InitContainers = []corev1.Container{{Name: "sidecar", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)}}
		}
		shiftNodeClock(p, skew)
		states = append(states, p)
	}
	if err := lines.Err(); err != nil || len(states) == 0 {
		t.Fatalf("read %d states of %s: %v", len(states), name, err)
	}
	return states
}

// shiftNodeClock shifts all times that come from the node's clock.
func shiftNodeClock(pod *corev1.Pod, skew time.Duration) {
	move := func(at *metav1.Time) {
		if !at.IsZero() {
			at.Time = at.Add(skew)
		}
	}
	for i := range pod.Status.Conditions {
		if nodeConditions[pod.Status.Conditions[i].Type] {
			move(&pod.Status.Conditions[i].LastTransitionTime)
		}
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			for _, state := range []*corev1.ContainerState{&statuses[i].State, &statuses[i].LastTerminationState} {
				if state.Running != nil {
					move(&state.Running.StartedAt)
				}
				if state.Terminated != nil {
					move(&state.Terminated.StartedAt)
					move(&state.Terminated.FinishedAt)
				}
			}
		}
	}
}

// replay returns the keys of the failures and records in the states: sorted, without
// duplicates.
func replay(states []*corev1.Pod) []string {
	memory, keys := NewDeletionMemory(), map[string]bool{}
	for _, state := range states {
		for _, f := range memory.FromPod(state) {
			keys[f.Key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

var clockSkews = []time.Duration{-time.Hour, -5 * time.Second, -time.Second, 0, time.Second, 5 * time.Second, time.Hour}

func TestReadsRecordings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "watch", "*.jsonl"))
	if err != nil || len(files) != len(wantKeys) {
		t.Errorf("testdata/watch has %d recordings, want %d: %v", len(files), len(wantKeys), err)
	}
	for name, want := range wantKeys {
		for _, skew := range clockSkews {
			t.Run(fmt.Sprintf("%s/clock off by %s", name, skew), func(t *testing.T) {
				t.Parallel()
				// In an Indexed Job, the key ends with the completion index.
				got := replay(loadRecording(t, name, skew))
				for i := range got {
					got[i] = strings.TrimSuffix(strings.TrimSuffix(got[i], "/0"), "/1")
				}
				if !slices.Equal(got, want) {
					t.Errorf("keys = %v, want %v", got, want)
				}
			})
		}
	}
}

// An operator may start to watch while a pod ends. It may see only the last state.
func TestReadsNoOtherFailuresFromLaterStates(t *testing.T) {
	t.Parallel()
	for name, want := range wantKeys {
		for _, skew := range clockSkews {
			states := loadRecording(t, name, skew)
			for first := range states {
				for _, key := range replay(states[first:]) {
					if !slices.Contains(want, key) {
						t.Errorf("%s, clock off by %s, from state %d of %d: key %s, want only %v", name, skew, first, len(states), key, want)
					}
				}
			}
		}
	}
}

// The last state alone shows the failures from before the deletion was requested.
func TestReadsFailuresFromTheLastState(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"exit-3", "exit-3-ttl-0", "one-exits-3-then-deleted", "pod-deadline", "sidecar-main-fails"} {
		for _, skew := range clockSkews {
			states := loadRecording(t, name, skew)
			if got := replay(states[len(states)-1:]); !slices.Equal(got, wantKeys[name]) {
				t.Errorf("%s, clock off by %s: keys = %v, want %v", name, skew, got, wantKeys[name])
			}
		}
	}
}
