// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

var start = metav1.NewTime(time.Date(2026, 11, 5, 10, 15, 0, 0, time.UTC))

func after(d time.Duration) metav1.Time { return metav1.NewTime(start.Add(d)) }

// pod builds one with two containers at most: "main", and what is added.
func pod(with ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "job-x7k2p", UID: "u", CreationTimestamp: start}}
	for _, f := range with {
		f(p)
	}
	return p
}

func exit(code int32, reason, message string, at metav1.Time) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, FinishedAt: at}
}

func ends(name string, end *corev1.ContainerStateTerminated) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses,
			corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: end}})
	}
}

func restarted(name string, before *corev1.ContainerStateTerminated, restarts int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, RestartCount: restarts, LastTerminationState: corev1.ContainerState{Terminated: before},
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		})
	}
}

func waiting(name, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		})
	}
}

func before(name string, end *corev1.ContainerStateTerminated, policy *corev1.ContainerRestartPolicy) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: name, RestartPolicy: policy})
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses,
			corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: end}})
	}
}

func phase(phase corev1.PodPhase, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message
	}
}

func says(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: start,
		})
	}
}

func deleted(at metav1.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &at, ptr.To[int64](30) }
}

func index(i string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations = map[string]string{"batch.kubernetes.io/job-completion-index": i} }
}

// What a real kubelet reports in each case.
func TestOfPod(t *testing.T) {
	t.Parallel()
	always := ptr.To(corev1.ContainerRestartPolicyAlways)
	type failures []string // key | code | source | message
	for _, tc := range []struct {
		name string
		pod  *corev1.Pod
		want failures
	}{
		{name: "a pod that has only begun", pod: pod()},
		{name: "an exit code, with what the container left",
			pod:  pod(ends("main", exit(3, "Error", " no such table\n", start))),
			want: failures{"exit/main/ExitCode:3 | ExitCode:3 | job-x7k2p/main | no such table"}},
		{name: "an exit code without a word",
			pod:  pod(ends("main", exit(3, "Error", "", start))),
			want: failures{"exit/main/ExitCode:3 | ExitCode:3 | job-x7k2p/main | the container ended with exit code 3"}},
		{name: "a signal",
			pod:  pod(ends("main", exit(139, "Error", "", start))),
			want: failures{"exit/main/ExitCode:139 | ExitCode:139 | job-x7k2p/main | the container was ended by signal 11 (segmentation fault)"}},
		{name: "137 is not out of memory",
			pod:  pod(ends("main", exit(137, "Error", "", start))),
			want: failures{"exit/main/ExitCode:137 | ExitCode:137 | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "out of memory",
			pod:  pod(ends("main", exit(137, "OOMKilled", "", start))),
			want: failures{"exit/main/OOMKilled | OOMKilled | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "a child out of memory in a container that failed for it",
			pod:  pod(ends("main", exit(7, "OOMKilled", "", start))),
			want: failures{"exit/main/OOMKilled | OOMKilled | job-x7k2p/main | the container ended with exit code 7"}},
		{name: "a child out of memory in a container that got over it",
			pod: pod(ends("main", exit(0, "OOMKilled", "", start)))},
		{name: "no such program",
			pod:  pod(ends("main", exit(128, "StartError", "exec: not found", start))),
			want: failures{"exit/main/StartError | StartError | job-x7k2p/main | exec: not found"}},
		{name: "success with a message is none",
			pod: pod(ends("main", exit(0, "Completed", "imported 10 rows", start)))},
		{name: "a container that the runtime lost has no time of its own",
			pod:  pod(ends("main", exit(137, "ContainerStatusUnknown", "The container could not be located", metav1.Time{}))),
			want: failures{"exit/main/ContainerStatusUnknown | ContainerStatusUnknown | job-x7k2p/main | The container could not be located"}},
		{name: "records in the message of a container that failed",
			pod: pod(ends("main", exit(3, "Error", `{"code":"E1","message":"row 1"}`, start))),
			want: failures{
				"exit/main/ExitCode:3 | ExitCode:3 | job-x7k2p/main | the container ended with exit code 3",
				"record//9o3gir2gc6 |  | job-x7k2p/main |  | reports row 1"}},
		{name: "records of a container that succeeded",
			pod:  pod(ends("main", exit(0, "Completed", `[{"_id":"a","message":"row 1"},{"_id":"b","message":"row 2"}]`, start))),
			want: failures{"record/a |  | job-x7k2p/main |  | reports row 1", "record/b |  | job-x7k2p/main |  | reports row 2"}},
		{name: "records of a pod that was evicted after them",
			pod:  pod(phase(corev1.PodFailed, "Evicted", "low"), ends("main", exit(137, "Error", `{"_id":"a","message":"row 1"}`, start))),
			want: failures{"pod/Evicted | Evicted | job-x7k2p | low", "record/a |  | job-x7k2p/main |  | reports row 1"}},
		{name: "a runtime that crashed",
			pod:  pod(ends("main", exit(255, "Unknown", "", start))),
			want: failures{"exit/main/ExitCode:255 | ExitCode:255 | job-x7k2p/main | the container ended with exit code 255"}},
		{name: "a restart under OnFailure",
			pod:  pod(restarted("main", exit(5, "Error", "", start), 3)),
			want: failures{"exit/main/ExitCode:5 | ExitCode:5 | job-x7k2p/main | the container ended with exit code 5"}},
		{name: "two containers that failed",
			pod: pod(ends("main", exit(1, "Error", "", start)), ends("other", exit(2, "Error", "", start))),
			want: failures{
				"exit/main/ExitCode:1 | ExitCode:1 | job-x7k2p/main | the container ended with exit code 1",
				"exit/other/ExitCode:2 | ExitCode:2 | job-x7k2p/other | the container ended with exit code 2"}},
		{name: "an init container",
			pod:  pod(before("fetch", exit(6, "Error", "", start), nil), waiting("main", "PodInitializing", ""), phase(corev1.PodFailed, "", "")),
			want: failures{"exit/fetch/ExitCode:6 | ExitCode:6 | job-x7k2p/fetch | the container ended with exit code 6"}},
		{name: "a sidecar that ended when the work was done",
			pod: pod(before("proxy", exit(143, "Error", "", after(time.Second)), always), ends("main", exit(0, "Completed", "", start)))},
		{name: "a sidecar that failed before",
			pod:  pod(before("proxy", exit(1, "Error", "", start), always), ends("main", exit(0, "Completed", "", after(time.Minute)))),
			want: failures{"exit/proxy/ExitCode:1 | ExitCode:1 | job-x7k2p/proxy | the container ended with exit code 1"}},
		{name: "a pod that somebody deletes ends because it is told to",
			pod: pod(deleted(after(30*time.Second)), ends("main", exit(143, "Error", "", after(time.Second))))},
		{name: "a failure before the pod was deleted stays one",
			pod:  pod(deleted(after(30*time.Second)), ends("main", exit(137, "Error", "", after(-time.Minute)))),
			want: failures{"exit/main/ExitCode:137 | ExitCode:137 | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "with whatever exit code",
			pod: pod(deleted(after(30*time.Second)), ends("main", exit(4, "Error", "", after(time.Second))))},
		{name: "out of memory in a pod that is being deleted stays a failure",
			pod:  pod(deleted(after(30*time.Second)), ends("main", exit(137, "OOMKilled", "", after(time.Second)))),
			want: failures{"exit/main/OOMKilled | OOMKilled | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "a container that had not started when the pod was deleted",
			pod: pod(deleted(after(30*time.Second)), ends("main", exit(137, "ContainerStatusUnknown", "", metav1.Time{})))},
		{name: "evicted by the kubelet, which killed the container",
			pod: pod(phase(corev1.PodFailed, "Evicted", "The node was low on resource: ephemeral-storage."),
				says(corev1.DisruptionTarget, corev1.ConditionTrue, "TerminationByKubelet", "low"), ends("main", exit(137, "Error", "", start))),
			want: failures{"pod/Evicted | Evicted | job-x7k2p | The node was low on resource: ephemeral-storage."}},
		{name: "the pod's own deadline",
			pod: pod(phase(corev1.PodFailed, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"),
				ends("main", exit(137, "Error", "", start))),
			want: failures{"pod/DeadlineExceeded | DeadlineExceeded | job-x7k2p | Pod was active on the node longer than the specified deadline"}},
		{name: "deleted by a taint",
			pod:  pod(says(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")),
			want: failures{"pod/DeletionByTaintManager | DeletionByTaintManager | job-x7k2p | Taint manager: deleting due to NoExecute taint"}},
		{name: "on a node that is lost, which does not say how it ends",
			pod:  pod(deleted(after(30*time.Second)), phase(corev1.PodRunning, "NodeLost", "Node node-1 which was running pod is unresponsive")),
			want: failures{"pod/NodeLost | NodeLost | job-x7k2p | Node node-1 which was running pod is unresponsive"}},
		{name: "deleted by a taint from a node that is lost: one failure, of the first name",
			pod:  pod(says(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "x"), phase(corev1.PodRunning, "NodeLost", "y")),
			want: failures{"pod/DeletionByTaintManager | DeletionByTaintManager | job-x7k2p | x"}},
		{name: "to be disrupted, and done before",
			pod: pod(says(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "x"), phase(corev1.PodSucceeded, "", ""))},
		{name: "refused by its node",
			pod:  pod(phase(corev1.PodFailed, "UnexpectedAdmissionError", "Allocate failed")),
			want: failures{"pod/UnexpectedAdmissionError | UnexpectedAdmissionError | job-x7k2p | Allocate failed"}},
		{name: "an image that can't be pulled",
			pod:  pod(waiting("main", "ErrImagePull", "manifest unknown")),
			want: failures{"wait/main/ImagePullBackOff | ImagePullBackOff | job-x7k2p/main | manifest unknown | passing"}},
		{name: "and that is tried again later",
			pod:  pod(waiting("main", "ImagePullBackOff", "Back-off pulling image")),
			want: failures{"wait/main/ImagePullBackOff | ImagePullBackOff | job-x7k2p/main | Back-off pulling image | passing"}},
		{name: "a secret that is not there",
			pod:  pod(waiting("main", "CreateContainerConfigError", `secret "x" not found`)),
			want: failures{`wait/main/CreateContainerConfigError | CreateContainerConfigError | job-x7k2p/main | secret "x" not found | passing`}},
		{name: "waiting for what comes by itself", pod: pod(waiting("main", "ContainerCreating", ""))},
		{name: "no node",
			pod:  pod(says(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/3 nodes are available")),
			want: failures{"pod/Unschedulable | Unschedulable | job-x7k2p | 0/3 nodes are available | passing"}},
		{name: "a gate is no failure",
			pod: pod(says(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", "x"))},
		{name: "an index is work of its own",
			pod:  pod(index("3"), ends("main", exit(1, "Error", "", start))),
			want: failures{"exit/main/ExitCode:1/3 | ExitCode:1 | job-x7k2p/main | the container ended with exit code 1 (index 3)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got failures
			for _, f := range FromPod(tc.pod) {
				text := []string{f.Key, f.Code, f.Source, f.Message}
				if f.Transient {
					text = append(text, "passing")
				}
				if f.Report != nil {
					text = append(text, "reports "+f.Report.Message)
				}
				got = append(got, strings.Join(text, " | "))
				if f.Occurrence == "" || f.At.IsZero() {
					t.Errorf("%+v does not say which it is and when it was", f)
				}
			}
			if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// The kubelet shows a run twice: as what the container is in, and as its last
// one, which it is before the restart is counted.
func TestARunIsTheSameOneAfterARestart(t *testing.T) {
	t.Parallel()
	state := func(restarts int32, state corev1.ContainerState, last *corev1.ContainerStateTerminated) *corev1.Pod {
		return pod(func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", RestartCount: restarts, State: state,
				LastTerminationState: corev1.ContainerState{Terminated: last}}}
		})
	}
	backOff := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	ended := func(end *corev1.ContainerStateTerminated) corev1.ContainerState {
		return corev1.ContainerState{Terminated: end}
	}
	for name, id := range map[string]func(run string) string{
		"by the runtime's id": func(run string) string { return "containerd://" + run },
		"by number":           func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := exit(1, "Error", "", start), exit(1, "Error", "", after(time.Minute))
			first.ContainerID, second.ContainerID = id("first"), id("second")
			lost := exit(1, reasonLost, "", metav1.Time{})
			runs := map[string]bool{}
			for step, tc := range []struct {
				pod  *corev1.Pod
				want int
			}{
				{state(0, running, nil), 0},
				{state(0, ended(first), nil), 1},
				{state(0, backOff, first), 1},
				{state(1, running, first), 1},
				{state(1, ended(second), first), 2},
				{state(1, backOff, second), 2},
				{state(2, running, second), 2},
				{state(3, backOff, lost), 3},
				{state(3, running, lost), 3},
			} {
				for _, f := range FromPod(tc.pod) {
					runs[f.Occurrence] = true
				}
				if len(runs) != tc.want {
					t.Fatalf("after step %d the runs that failed are %v, want %d", step, runs, tc.want)
				}
			}
		})
	}
}

func TestAContainerWaitsFromWhenItCouldRun(t *testing.T) {
	t.Parallel()
	scheduled := says(corev1.PodScheduled, corev1.ConditionTrue, "", "")
	pull := func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Waiting.Reason = "ImagePullBackOff" }
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		want metav1.Time
	}{
		"since the pod has a node":        {pod(scheduled, waiting("main", "ImagePullBackOff", "")), start},
		"after an init container":         {pod(scheduled, before("fetch", exit(0, "Completed", "", after(time.Hour)), nil), waiting("main", "ImagePullBackOff", "")), after(time.Hour)},
		"after its last run, for another": {pod(scheduled, restarted("main", exit(0, "Completed", "", after(time.Minute)), 0), pull), after(time.Minute)},
	} {
		if got := FromPod(tc.pod); len(got) != 1 || !got[0].At.Equal(tc.want.Time) {
			t.Errorf("%s: %+v, want it at %s", name, got, tc.want)
		}
	}
	first, later := FromPod(pod(waiting("main", "ImagePullBackOff", ""))), FromPod(pod(restarted("main", exit(0, "Completed", "", start), 0), pull))
	if first[0].Occurrence == later[0].Occurrence {
		t.Error("a wait after a run is taken for the one before it")
	}
}

func TestEqualRowsOfOneMessageAreOneRecord(t *testing.T) {
	t.Parallel()
	said := `[{"_id":"a","message":"row 1","resolved":true},{"_id":"b","message":"row 2"},{"_id":"a","message":"row 3"},{"message":"m"},{"message":"m","createdAt":"2026-11-05T10:00:00Z"},{"message":"m"}]`
	got := FromPod(pod(ends("main", exit(0, "Completed", said, start))))
	for i, want := range []struct {
		message string
		times   int
	}{{"row 1", 2}, {"row 2", 1}, {"m", 3}} {
		if len(got) != 3 || got[i].Report.Message != want.message || got[i].Times != want.times || got[i].Report.Resolved {
			t.Fatalf("got %+v", got)
		}
	}
	// The next run may report them again.
	runs := pod(ends("main", exit(0, "Completed", said, after(time.Minute))), func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].RestartCount = 1
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = exit(1, "Error", said, start)
	})
	occurrences := map[string]int{}
	for _, f := range FromPod(runs) {
		if f.Report != nil {
			occurrences[f.Key+f.Occurrence] += f.Times
		}
	}
	if len(occurrences) != 6 {
		t.Errorf("of two runs there are %v", occurrences)
	}
}

// The log says more only where the container left no word.
func TestTheLogIsOfTheRunThatFailed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		want *Log
	}{
		"the run that is over":    {pod(ends("main", exit(1, "Error", "", start))), &Log{Pod: "job-x7k2p", Container: "main"}},
		"the run before":          {pod(restarted("main", exit(1, "Error", "", start), 1)), &Log{Pod: "job-x7k2p", Container: "main", Previous: true}},
		"one that left a message": {pod(ends("main", exit(1, "Error", "no such table", start))), nil},
		"one that left records":   {pod(ends("main", exit(1, "Error", `{"message":"m"}`, start))), &Log{Pod: "job-x7k2p", Container: "main"}},
	} {
		if got := FromPod(tc.pod)[0].Log; (got == nil) != (tc.want == nil) || got != nil && *got != *tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestWhatAPodGotOver(t *testing.T) {
	t.Parallel()
	stuck := pod(says(corev1.PodScheduled, corev1.ConditionTrue, "", ""), waiting("main", "ErrImagePull", "x"))
	if got := RecoveredKeys(stuck); len(got) != 1 || got[0] != "pod/Unschedulable" {
		t.Errorf("a pod that waits for its image got over %v", got)
	}
	key := FromPod(stuck)[0].Key
	if got := RecoveredKeys(pod(ends("main", exit(0, "Completed", "", start)))); !slices.Contains(got, key) || !CanRecover("ImagePullBackOff") {
		t.Errorf("a pod that ran got over %v, want %s among them", got, key)
	}
	for _, code := range []string{"", "ExitCode:1", "ErrImagePull", "Evicted"} {
		if CanRecover(code) {
			t.Errorf("%q does not pass by itself", code)
		}
	}
}
