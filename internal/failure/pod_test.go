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

// newPod returns a pod that was created at start, with the given changes.
func newPod(changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "job-x7k2p", UID: "u", CreationTimestamp: start}}
	for _, change := range changes {
		change(p)
	}
	return p
}

func exit(code int32, reason, message string, at metav1.Time) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, FinishedAt: at}
}

func terminated(name string, state *corev1.ContainerStateTerminated) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses,
			corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: state}})
	}
}

func crashLooping(name string, last *corev1.ContainerStateTerminated, restarts int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, RestartCount: restarts, LastTerminationState: corev1.ContainerState{Terminated: last},
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

// terminatedInit adds an init container, or a sidecar if its restart policy is Always.
func terminatedInit(name string, state *corev1.ContainerStateTerminated, policy *corev1.ContainerRestartPolicy) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: name, RestartPolicy: policy})
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses,
			corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: state}})
	}
}

func withPhase(phase corev1.PodPhase, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message
	}
}

func withCondition(conditionType corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: conditionType, Status: status, Reason: reason, Message: message, LastTransitionTime: start,
		})
	}
}

// withDeletionTimestamp deletes the pod with a grace period of 30 seconds, which ends at
// the given time.
func withDeletionTimestamp(at metav1.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &at, ptr.To[int64](30) }
}

func withIndex(index string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Annotations = map[string]string{"batch.kubernetes.io/job-completion-index": index}
	}
}

// The pods look as a real kubelet reports them.
func TestFromPod(t *testing.T) {
	t.Parallel()
	always := ptr.To(corev1.ContainerRestartPolicyAlways)
	type lines []string // each: key | code | source | message [| transient] [| reports …]
	for _, tc := range []struct {
		name string
		pod  *corev1.Pod
		want lines
	}{
		{name: "new pod", pod: newPod()},
		{name: "exit code with a termination message",
			pod:  newPod(terminated("main", exit(3, "Error", " no such table\n", start))),
			want: lines{"exit/main/ExitCode:3 | ExitCode:3 | job-x7k2p/main | no such table"}},
		{name: "exit code without a message",
			pod:  newPod(terminated("main", exit(3, "Error", "", start))),
			want: lines{"exit/main/ExitCode:3 | ExitCode:3 | job-x7k2p/main | the container ended with exit code 3"}},
		{name: "signal",
			pod:  newPod(terminated("main", exit(139, "Error", "", start))),
			want: lines{"exit/main/ExitCode:139 | ExitCode:139 | job-x7k2p/main | the container was ended by signal 11 (segmentation fault)"}},
		{name: "exit code 137 alone is not OOMKilled",
			pod:  newPod(terminated("main", exit(137, "Error", "", start))),
			want: lines{"exit/main/ExitCode:137 | ExitCode:137 | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "OOMKilled",
			pod:  newPod(terminated("main", exit(137, "OOMKilled", "", start))),
			want: lines{"exit/main/OOMKilled | OOMKilled | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "container that failed after a child was OOMKilled",
			pod:  newPod(terminated("main", exit(7, "OOMKilled", "", start))),
			want: lines{"exit/main/OOMKilled | OOMKilled | job-x7k2p/main | the container ended with exit code 7"}},
		{name: "container that succeeded after a child was OOMKilled",
			pod: newPod(terminated("main", exit(0, "OOMKilled", "", start)))},
		{name: "command not found",
			pod:  newPod(terminated("main", exit(128, "StartError", "exec: not found", start))),
			want: lines{"exit/main/StartError | StartError | job-x7k2p/main | exec: not found"}},
		{name: "success with a message is not a failure",
			pod: newPod(terminated("main", exit(0, "Completed", "imported 10 rows", start)))},
		{name: "container that the runtime lost, without an end time",
			pod:  newPod(terminated("main", exit(137, "ContainerStatusUnknown", "The container could not be located", metav1.Time{}))),
			want: lines{"exit/main/ContainerStatusUnknown | ContainerStatusUnknown | job-x7k2p/main | The container could not be located"}},
		{name: "failed container that reports a record",
			pod: newPod(terminated("main", exit(3, "Error", `{"code":"E1","message":"row 1"}`, start))),
			want: lines{
				"exit/main/ExitCode:3 | ExitCode:3 | job-x7k2p/main | the container ended with exit code 3",
				"record//9o3gir2gc6 |  | job-x7k2p/main |  | reports row 1"}},
		{name: "succeeded container that reports records",
			pod:  newPod(terminated("main", exit(0, "Completed", `[{"_id":"a","message":"row 1"},{"_id":"b","message":"row 2"}]`, start))),
			want: lines{"record/a |  | job-x7k2p/main |  | reports row 1", "record/b |  | job-x7k2p/main |  | reports row 2"}},
		{name: "evicted pod that reported a record",
			pod:  newPod(withPhase(corev1.PodFailed, "Evicted", "low"), terminated("main", exit(137, "Error", `{"_id":"a","message":"row 1"}`, start))),
			want: lines{"pod/Evicted | Evicted | job-x7k2p | low", "record/a |  | job-x7k2p/main |  | reports row 1"}},
		{name: "crashed runtime",
			pod:  newPod(terminated("main", exit(255, "Unknown", "", start))),
			want: lines{"exit/main/ExitCode:255 | ExitCode:255 | job-x7k2p/main | the container ended with exit code 255"}},
		{name: "restart under OnFailure",
			pod:  newPod(crashLooping("main", exit(5, "Error", "", start), 3)),
			want: lines{"exit/main/ExitCode:5 | ExitCode:5 | job-x7k2p/main | the container ended with exit code 5"}},
		{name: "two failed containers",
			pod: newPod(terminated("main", exit(1, "Error", "", start)), terminated("other", exit(2, "Error", "", start))),
			want: lines{
				"exit/main/ExitCode:1 | ExitCode:1 | job-x7k2p/main | the container ended with exit code 1",
				"exit/other/ExitCode:2 | ExitCode:2 | job-x7k2p/other | the container ended with exit code 2"}},
		{name: "failed init container",
			pod:  newPod(terminatedInit("fetch", exit(6, "Error", "", start), nil), waiting("main", "PodInitializing", ""), withPhase(corev1.PodFailed, "", "")),
			want: lines{"exit/fetch/ExitCode:6 | ExitCode:6 | job-x7k2p/fetch | the container ended with exit code 6"}},
		{name: "sidecar stopped after the work was done is not a failure",
			pod: newPod(terminatedInit("proxy", exit(143, "Error", "", after(time.Second)), always), terminated("main", exit(0, "Completed", "", start)))},
		{name: "sidecar that failed before the work was done",
			pod:  newPod(terminatedInit("proxy", exit(1, "Error", "", start), always), terminated("main", exit(0, "Completed", "", after(time.Minute)))),
			want: lines{"exit/proxy/ExitCode:1 | ExitCode:1 | job-x7k2p/proxy | the container ended with exit code 1"}},
		{name: "container stopped by a deletion is not a failure",
			pod: newPod(withDeletionTimestamp(after(30*time.Second)), terminated("main", exit(143, "Error", "", after(time.Second))))},
		{name: "failure before the deletion",
			pod:  newPod(withDeletionTimestamp(after(30*time.Second)), terminated("main", exit(137, "Error", "", after(-time.Minute)))),
			want: lines{"exit/main/ExitCode:137 | ExitCode:137 | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "container stopped by a deletion with its own exit code is not a failure",
			pod: newPod(withDeletionTimestamp(after(30*time.Second)), terminated("main", exit(4, "Error", "", after(time.Second))))},
		{name: "OOMKilled during a deletion",
			pod:  newPod(withDeletionTimestamp(after(30*time.Second)), terminated("main", exit(137, "OOMKilled", "", after(time.Second)))),
			want: lines{"exit/main/OOMKilled | OOMKilled | job-x7k2p/main | the container was ended by signal 9 (killed)"}},
		{name: "container that had not started before the deletion is not a failure",
			pod: newPod(withDeletionTimestamp(after(30*time.Second)), terminated("main", exit(137, "ContainerStatusUnknown", "", metav1.Time{})))},
		{name: "eviction hides the exit code of the killed container",
			pod: newPod(withPhase(corev1.PodFailed, "Evicted", "The node was low on resource: ephemeral-storage."),
				withCondition(corev1.DisruptionTarget, corev1.ConditionTrue, "TerminationByKubelet", "low"), terminated("main", exit(137, "Error", "", start))),
			want: lines{"pod/Evicted | Evicted | job-x7k2p | The node was low on resource: ephemeral-storage."}},
		{name: "deadline of the pod",
			pod: newPod(withPhase(corev1.PodFailed, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"),
				terminated("main", exit(137, "Error", "", start))),
			want: lines{"pod/DeadlineExceeded | DeadlineExceeded | job-x7k2p | Pod was active on the node longer than the specified deadline"}},
		{name: "deletion by a taint",
			pod:  newPod(withCondition(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")),
			want: lines{"pod/DeletionByTaintManager | DeletionByTaintManager | job-x7k2p | Taint manager: deleting due to NoExecute taint"}},
		{name: "lost node, pod without a final phase",
			pod:  newPod(withDeletionTimestamp(after(30*time.Second)), withPhase(corev1.PodRunning, "NodeLost", "Node node-1 which was running pod is unresponsive")),
			want: lines{"pod/NodeLost | NodeLost | job-x7k2p | Node node-1 which was running pod is unresponsive"}},
		{name: "deletion by a taint on a lost node is one failure, with the first code",
			pod:  newPod(withCondition(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "x"), withPhase(corev1.PodRunning, "NodeLost", "y")),
			want: lines{"pod/DeletionByTaintManager | DeletionByTaintManager | job-x7k2p | x"}},
		{name: "success before a disruption is not a failure",
			pod: newPod(withCondition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "x"), withPhase(corev1.PodSucceeded, "", ""))},
		{name: "rejection by the node",
			pod:  newPod(withPhase(corev1.PodFailed, "UnexpectedAdmissionError", "Allocate failed")),
			want: lines{"pod/UnexpectedAdmissionError | UnexpectedAdmissionError | job-x7k2p | Allocate failed"}},
		{name: "image that can't be pulled",
			pod:  newPod(waiting("main", "ErrImagePull", "manifest unknown")),
			want: lines{"wait/main/ImagePullBackOff | ImagePullBackOff | job-x7k2p/main | manifest unknown | transient"}},
		{name: "back-off after a failed image pull",
			pod:  newPod(waiting("main", "ImagePullBackOff", "Back-off pulling image")),
			want: lines{"wait/main/ImagePullBackOff | ImagePullBackOff | job-x7k2p/main | Back-off pulling image | transient"}},
		{name: "missing Secret",
			pod:  newPod(waiting("main", "CreateContainerConfigError", `secret "x" not found`)),
			want: lines{`wait/main/CreateContainerConfigError | CreateContainerConfigError | job-x7k2p/main | secret "x" not found | transient`}},
		{name: "ContainerCreating is not a failure", pod: newPod(waiting("main", "ContainerCreating", ""))},
		{name: "unschedulable",
			pod:  newPod(withCondition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/3 nodes are available")),
			want: lines{"pod/Unschedulable | Unschedulable | job-x7k2p | 0/3 nodes are available | transient"}},
		{name: "scheduling gate is not a failure",
			pod: newPod(withCondition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", "x"))},
		{name: "completion index is part of the key",
			pod:  newPod(withIndex("3"), terminated("main", exit(1, "Error", "", start))),
			want: lines{"exit/main/ExitCode:1/3 | ExitCode:1 | job-x7k2p/main | the container ended with exit code 1 (index 3)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got lines
			for _, f := range FromPod(tc.pod) {
				text := []string{f.Key, f.Code, f.Source, f.Message}
				if f.Transient {
					text = append(text, "transient")
				}
				if f.Report != nil {
					text = append(text, "reports "+f.Report.Message)
				}
				got = append(got, strings.Join(text, " | "))
				if f.Occurrence == "" || f.At.IsZero() {
					t.Errorf("%+v has no Occurrence or no At", f)
				}
			}
			if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("FromPod =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// The kubelet shows a run twice: as the current state, and then as the last state. The
// run moves to the last state before restartCount increases.
func TestRestartDoesNotChangeTheOccurrence(t *testing.T) {
	t.Parallel()
	podIn := func(state corev1.ContainerState, restarts int32, last *corev1.ContainerStateTerminated) *corev1.Pod {
		return newPod(func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", RestartCount: restarts, State: state,
				LastTerminationState: corev1.ContainerState{Terminated: last}}}
		})
	}
	backOff := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	ended := func(run *corev1.ContainerStateTerminated) corev1.ContainerState {
		return corev1.ContainerState{Terminated: run}
	}
	for name, id := range map[string]func(run string) string{
		"with a container ID":    func(run string) string { return "containerd://" + run },
		"without a container ID": func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := exit(1, "Error", "", start), exit(1, "Error", "", after(time.Minute))
			first.ContainerID, second.ContainerID = id("first"), id("second")
			lost := exit(1, reasonLost, "", metav1.Time{})
			occurrences := map[string]bool{}
			for step, tc := range []struct {
				pod  *corev1.Pod
				want int
			}{
				{podIn(running, 0, nil), 0},
				{podIn(ended(first), 0, nil), 1},
				{podIn(backOff, 0, first), 1},
				{podIn(running, 1, first), 1},
				{podIn(ended(second), 1, first), 2},
				{podIn(backOff, 1, second), 2},
				{podIn(running, 2, second), 2},
				{podIn(backOff, 3, lost), 3},
				{podIn(running, 3, lost), 3},
			} {
				for _, f := range FromPod(tc.pod) {
					occurrences[f.Occurrence] = true
				}
				if len(occurrences) != tc.want {
					t.Fatalf("after step %d: %d occurrences, want %d: %v", step, len(occurrences), tc.want, occurrences)
				}
			}
		})
	}
}

func TestWaitBeginsWhenTheContainerCouldStart(t *testing.T) {
	t.Parallel()
	scheduled := withCondition(corev1.PodScheduled, corev1.ConditionTrue, "", "")
	backOffPull := func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Waiting.Reason = "ImagePullBackOff" }
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		want metav1.Time
	}{
		"after the pod is scheduled":   {newPod(scheduled, waiting("main", "ImagePullBackOff", "")), start},
		"after an init container ends": {newPod(scheduled, terminatedInit("fetch", exit(0, "Completed", "", after(time.Hour)), nil), waiting("main", "ImagePullBackOff", "")), after(time.Hour)},
		"after the last run ends":      {newPod(scheduled, crashLooping("main", exit(0, "Completed", "", after(time.Minute)), 0), backOffPull), after(time.Minute)},
	} {
		if got := FromPod(tc.pod); len(got) != 1 || !got[0].At.Equal(tc.want.Time) {
			t.Errorf("%s: FromPod = %+v, want one failure at %s", name, got, tc.want)
		}
	}
	first, later := FromPod(newPod(waiting("main", "ImagePullBackOff", ""))), FromPod(newPod(crashLooping("main", exit(0, "Completed", "", start), 0), backOffPull))
	if first[0].Occurrence == later[0].Occurrence {
		t.Error("the wait after a run has the same occurrence as the wait before it")
	}
}

func TestMergesEqualRowsOfAMessage(t *testing.T) {
	t.Parallel()
	rows := `[{"_id":"a","message":"row 1","resolved":true},{"_id":"b","message":"row 2"},{"_id":"a","message":"row 3"},{"message":"m"},{"message":"m","createdAt":"2026-11-05T10:00:00Z"},{"message":"m"}]`
	got := FromPod(newPod(terminated("main", exit(0, "Completed", rows, start))))
	for i, want := range []struct {
		message string
		times   int
	}{{"row 1", 2}, {"row 2", 1}, {"m", 3}} {
		if len(got) != 3 || got[i].Report.Message != want.message || got[i].Times != want.times || got[i].Report.Resolved {
			t.Fatalf("FromPod = %+v, want 3 open records, of which record %d is %+v", got, i, want)
		}
	}
	// Another run may report the same rows again.
	twoRuns := newPod(terminated("main", exit(0, "Completed", rows, after(time.Minute))), func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].RestartCount = 1
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = exit(1, "Error", rows, start)
	})
	occurrences := map[string]int{}
	for _, f := range FromPod(twoRuns) {
		if f.Report != nil {
			occurrences[f.Key+f.Occurrence] += f.Times
		}
	}
	if len(occurrences) != 6 {
		t.Errorf("two runs have %d occurrences, want 6: %v", len(occurrences), occurrences)
	}
}

// The log is useful only if the container left no message for people.
func TestLogNamesTheFailedRun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		want *Log
	}{
		"last run":                {newPod(terminated("main", exit(1, "Error", "", start))), &Log{Pod: "job-x7k2p", Container: "main"}},
		"run before the last one": {newPod(crashLooping("main", exit(1, "Error", "", start), 1)), &Log{Pod: "job-x7k2p", Container: "main", Previous: true}},
		"message":                 {newPod(terminated("main", exit(1, "Error", "no such table", start))), nil},
		"records":                 {newPod(terminated("main", exit(1, "Error", `{"message":"m"}`, start))), &Log{Pod: "job-x7k2p", Container: "main"}},
	} {
		if got := FromPod(tc.pod)[0].Log; (got == nil) != (tc.want == nil) || got != nil && *got != *tc.want {
			t.Errorf("%s: Log = %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestRecoveredKeys(t *testing.T) {
	t.Parallel()
	stuck := newPod(withCondition(corev1.PodScheduled, corev1.ConditionTrue, "", ""), waiting("main", "ErrImagePull", "x"))
	if got := RecoveredKeys(stuck); len(got) != 1 || got[0] != "pod/Unschedulable" {
		t.Errorf("RecoveredKeys of a pod that waits for its image = %v, want [pod/Unschedulable]", got)
	}
	key := FromPod(stuck)[0].Key
	if got := RecoveredKeys(newPod(terminated("main", exit(0, "Completed", "", start)))); !slices.Contains(got, key) {
		t.Errorf("RecoveredKeys of a pod that ran = %v, want %s among them", got, key)
	}
	if !CanRecover("ImagePullBackOff") {
		t.Error("CanRecover(\"ImagePullBackOff\") = false, want true")
	}
	for _, code := range []string{"", "ExitCode:1", "ErrImagePull", "Evicted"} {
		if CanRecover(code) {
			t.Errorf("CanRecover(%q) = true, want false", code)
		}
	}
}

func TestWaitingKeys(t *testing.T) {
	t.Parallel()
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}
	pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "b", State: waiting}, {Name: "a", State: waiting}}}}
	if got, want := WaitingKeys(pod), []string{"wait/a/ImagePullBackOff", "wait/b/ImagePullBackOff"}; !slices.Equal(got, want) {
		t.Errorf("WaitingKeys = %v, want %v", got, want)
	}
	pod.Status.Phase, pod.Status.Reason = corev1.PodFailed, "Evicted"
	if got := WaitingKeys(pod); len(got) > 0 {
		t.Errorf("WaitingKeys of an evicted pod = %v, want none", got)
	}
}
