//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/test/harness"
)

var save = flag.Bool("record", false, "save the recordings of how pods end in internal/failure/testdata/watch")

// wantCodes holds the codes captured for each recording. The other recordings capture
// nothing, because their containers ended on request.
var wantCodes = map[string][]string{
	"delete-image-missing": {"ImagePullBackOff"},
	// A deleted pod counts against the backoff limit of its Job, and the Job fails.
	"delete-pod":                       {"BackoffLimitExceeded"},
	"delete-pod-force":                 {"BackoffLimitExceeded"},
	"delete-pod-twice":                 {"BackoffLimitExceeded"},
	"exit-3":                           {"BackoffLimitExceeded", "ExitCode:3"},
	"exit-3-ttl-0":                     {"BackoffLimitExceeded", "ExitCode:3"},
	"job-deadline":                     {"DeadlineExceeded"},
	"on-failure-backoff-limit":         {"BackoffLimitExceeded", "ExitCode:5"},
	"on-failure-backoff-limit-running": {"BackoffLimitExceeded", "ExitCode:5"},
	"one-exits-3-at-deletion":          {"ExitCode:3"},
	"one-exits-3-then-deleted":         {"ExitCode:3"},
	"pod-deadline":                     {"BackoffLimitExceeded", "DeadlineExceeded"},
	"sidecar-main-fails":               {"BackoffLimitExceeded", "ExitCode:8"},
}

// recording runs a Job until its pods are in their final state.
type recording func(t *testing.T, ns string, r *recorder)

// recordings holds the ways for a pod to end. The names are also file names in
// internal/failure/testdata/watch.
var recordings = map[string]recording{
	"delete-background-killed": deleteRunning(ignoresTERM, metav1.DeletePropagationBackground),
	"delete-background-exit-1": deleteRunning(failsOnTERM, metav1.DeletePropagationBackground),
	"delete-background-exit-0": deleteRunning(succeedsOnTERM, metav1.DeletePropagationBackground),
	"delete-foreground":        deleteRunning(ignoresTERM, metav1.DeletePropagationForeground),
	"delete-orphan": func(t *testing.T, ns string, r *recorder) {
		start(t, r, shellJob(ns, "job", ignoresTERM))
		deleteJob(t, ns, metav1.DeletePropagationOrphan)
		orphan := r.await(t, "without owner", func(e event) bool { return len(e.Pod.OwnerReferences) == 0 && len(e.Pod.Finalizers) == 0 })
		time.Sleep(time.Second)
		deletePod(t, orphan)
		r.awaitDeleted(t, 1)
	},
	"suspend": func(t *testing.T, ns string, r *recorder) {
		start(t, r, shellJob(ns, "job", ignoresTERM))
		patchJob(t, ns, `{"spec":{"suspend":true}}`)
		r.awaitDeleted(t, 1)
	},
	"parallelism-reduced": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", ignoresTERM)
		job.Spec.Parallelism = ptr.To[int32](2)
		start(t, r, job)
		patchJob(t, ns, `{"spec":{"parallelism":1}}`)
		r.awaitDeleted(t, 1)
	},
	"success-policy": func(t *testing.T, ns string, r *recorder) {
		// Both containers must start before the first one ends.
		job := shellJob(ns, "job", `[ $JOB_COMPLETION_INDEX = 1 ] || { sleep 30; exit 0; }; `+ignoresTERM, withIndexes(2))
		job.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: ptr.To("0")}}}
		start(t, r, job)
		r.await(t, "deleted", isDeleted)
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobComplete)
	},
	"cronjob-replace": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", ignoresTERM)
		harness.Create(t, cluster.Client, &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "cronjob"},
			Spec: batchv1.CronJobSpec{
				Schedule: "* * * * *", ConcurrencyPolicy: batchv1.ReplaceConcurrent, JobTemplate: batchv1.JobTemplateSpec{Spec: job.Spec},
			},
		})
		r.awaitIn(t, 4*time.Minute, "deleted", isDeleted)
	},
	"job-deadline": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", ignoresTERM)
		// The container must start before the deadline.
		job.Spec.ActiveDeadlineSeconds = ptr.To[int64](60)
		start(t, r, job)
		r.awaitDeleted(t, 1)
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
	"delete-while-pulling": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "exit 0", withImage("slow/none:1")))
		r.await(t, "creating its container", waiting("main"))
		time.Sleep(2 * time.Second)
		deleteJob(t, ns, metav1.DeletePropagationBackground)
		r.awaitDeleted(t, 1)
	},
	"delete-image-missing": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "exit 0", withImage("registry.invalid/none:1")))
		r.await(t, "backing off", func(e event) bool {
			s := e.Pod.Status.ContainerStatuses
			return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "ImagePullBackOff"
		})
		deleteJob(t, ns, metav1.DeletePropagationBackground)
		r.awaitDeleted(t, 1)
	},
	"delete-while-init-runs": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "exit 0", withInit(shell("init", ignoresTERM))))
		r.await(t, "initializing", func(e event) bool {
			s := e.Pod.Status.InitContainerStatuses
			return len(s) > 0 && s[0].State.Running != nil
		})
		deleteJob(t, ns, metav1.DeletePropagationBackground)
		r.awaitDeleted(t, 1)
	},
	"exit-3-ttl-0": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", "sleep 1; exit 3")
		job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
		harness.Create(t, cluster.Client, job)
		r.awaitDeleted(t, 1)
	},
	"exit-3": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "sleep 1; exit 3"))
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
	"on-failure-backoff-limit": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", "sleep 1; exit 5")
		job.Spec.BackoffLimit = ptr.To[int32](1)
		job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
		harness.Create(t, cluster.Client, job)
		r.awaitDeleted(t, 1)
	},
	// The Job reaches the limit while the container runs again.
	"on-failure-backoff-limit-running": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", "[ -f /tmp/x/again ] || { touch /tmp/x/again; sleep 1; exit 5; }; "+ignoresTERM)
		job.Spec.BackoffLimit = ptr.To[int32](0)
		pod := &job.Spec.Template.Spec
		pod.RestartPolicy = corev1.RestartPolicyOnFailure
		pod.Volumes = []corev1.Volume{{Name: "x", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		pod.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "x", MountPath: "/tmp/x"}}
		harness.Create(t, cluster.Client, job)
		r.awaitDeleted(t, 1)
	},
	"sidecar-main-succeeds": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "sleep 1; exit 0", withSidecar(shell("sidecar", ignoresTERM))))
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobComplete)
	},
	"sidecar-main-fails": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "sleep 1; exit 8", withSidecar(shell("sidecar", ignoresTERM))))
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
	"sidecar-deleted": deleteRunning(ignoresTERM, metav1.DeletePropagationBackground, withSidecar(shell("sidecar", ignoresTERM))),
	"one-exits-3-then-deleted": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "sleep 1; exit 3", withContainer(shell("other", ignoresTERM))))
		r.await(t, "partly terminated", terminated("main"))
		time.Sleep(2 * time.Second)
		deleteJob(t, ns, metav1.DeletePropagationBackground)
		r.awaitDeleted(t, 1)
	},
	// The container fails on its own while the pod is deleted.
	"one-exits-3-at-deletion": func(t *testing.T, ns string, r *recorder) {
		harness.Create(t, cluster.Client, shellJob(ns, "job", "sleep 1; exit 3", withContainer(shell("other", ignoresTERM))))
		r.await(t, "partly terminated", terminated("main"))
		deleteJob(t, ns, metav1.DeletePropagationBackground)
		r.awaitDeleted(t, 1)
	},
	"delete-pod-force": func(t *testing.T, ns string, r *recorder) {
		pod := start(t, r, shellJob(ns, "job", ignoresTERM))
		deletePod(t, pod, client.GracePeriodSeconds(0))
		r.await(t, "deleted", isDeleted)
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
	"delete-pod": func(t *testing.T, ns string, r *recorder) {
		deletePod(t, start(t, r, shellJob(ns, "job", ignoresTERM)))
		r.await(t, "deleted", isDeleted)
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
	// The second request shortens the grace period of the first.
	"delete-pod-twice": func(t *testing.T, ns string, r *recorder) {
		pod := start(t, r, shellJob(ns, "job", ignoresTERM))
		deletePod(t, pod, client.GracePeriodSeconds(20))
		time.Sleep(2 * time.Second)
		deletePod(t, pod, client.GracePeriodSeconds(2))
		r.await(t, "deleted", isDeleted)
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
	"pod-deadline": func(t *testing.T, ns string, r *recorder) {
		job := shellJob(ns, "job", ignoresTERM)
		job.Spec.Template.Spec.ActiveDeadlineSeconds = ptr.To[int64](60)
		start(t, r, job)
		cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	},
}

// A container that ends on request is not a failure.
func TestCapturesHowPodsEnd(t *testing.T) {
	for name, runRecording := range recordings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			r := record(t, ns)
			runRecording(t, ns, r)
			// Failures are captured in order, so once this one is, no other error is pending.
			harness.Create(t, cluster.Client, shellJob(ns, "last", "exit 9"))
			captured := cluster.WaitErrors(t, ns, harness.Code, append([]string{"BackoffLimitExceeded", "ExitCode:9"}, wantCodes[name]...)...)
			for _, je := range captured {
				if je.Status.Occurrences != 1 {
					t.Errorf("%s of Job %s: occurrences = %d, want 1", je.Spec.Code, je.Spec.JobID, je.Status.Occurrences)
				}
			}
			if *save {
				saveRecording(t, filepath.Join(cluster.Root, "internal", "failure", "testdata", "watch", name+".jsonl"),
					slices.DeleteFunc(r.all(), func(e event) bool { return e.Pod.Labels[batchv1.JobNameLabel] == "last" }))
			}
		})
	}
}

// saveRecording writes the fields of each event that the tests of internal/failure read.
func saveRecording(t *testing.T, file string, events []event) {
	t.Helper()
	var lines bytes.Buffer
	for _, e := range events {
		meta := &e.Pod.ObjectMeta
		fields := slices.Clone(meta.ManagedFields)
		for i := range fields {
			fields[i] = metav1.ManagedFieldsEntry{
				Manager: fields[i].Manager, Operation: fields[i].Operation, Subresource: fields[i].Subresource, Time: fields[i].Time,
			}
		}
		trimmed := map[string]any{
			"metadata": metav1.ObjectMeta{
				Name: meta.Name, UID: meta.UID, Generation: meta.Generation, CreationTimestamp: meta.CreationTimestamp,
				DeletionTimestamp: meta.DeletionTimestamp, DeletionGracePeriodSeconds: meta.DeletionGracePeriodSeconds,
				Finalizers: meta.Finalizers, OwnerReferences: meta.OwnerReferences, Labels: meta.Labels, ManagedFields: fields,
			},
			"status": e.Pod.Status,
		}
		line, err := json.Marshal(map[string]any{"type": e.Type, "at": e.At.UTC().Format(time.RFC3339Nano), "object": trimmed})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(file, lines.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// start creates a Job, waits until all of its pods run, and returns one of them.
func start(t *testing.T, r *recorder, job *batchv1.Job) *corev1.Pod {
	t.Helper()
	harness.Create(t, cluster.Client, job)
	var pod *corev1.Pod
	for i := range ptr.Deref(job.Spec.Parallelism, 1) {
		seen := map[string]bool{}
		pod = r.await(t, "running", func(e event) bool {
			if isRunning(e) {
				seen[e.Pod.Name] = true
			}
			return len(seen) > int(i)
		})
	}
	// Give the shell time to set its traps.
	time.Sleep(1500 * time.Millisecond)
	return pod
}

// waiting matches a pod whose container with this name waits.
func waiting(name string) func(event) bool {
	return func(e event) bool {
		return slices.ContainsFunc(e.Pod.Status.ContainerStatuses,
			func(s corev1.ContainerStatus) bool { return s.Name == name && s.State.Waiting != nil })
	}
}

// deleteRunning returns a recording that deletes a Job while its pod runs a script.
func deleteRunning(script string, propagation metav1.DeletionPropagation, with ...func(*batchv1.Job)) recording {
	return func(t *testing.T, ns string, r *recorder) {
		start(t, r, shellJob(ns, "job", script, with...))
		deleteJob(t, ns, propagation)
		r.awaitDeleted(t, 1)
	}
}

// deleteJob deletes the Job.
func deleteJob(t *testing.T, ns string, propagation metav1.DeletionPropagation) {
	t.Helper()
	job := harness.Get(t, cluster.Client, ns, "job", &batchv1.Job{})
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy(propagation)); err != nil {
		t.Fatal(err)
	}
}

func deletePod(t *testing.T, pod *corev1.Pod, with ...client.DeleteOption) {
	t.Helper()
	if err := cluster.Client.Delete(t.Context(), pod, with...); err != nil {
		t.Fatal(err)
	}
}

// patchJob patches the Job.
func patchJob(t *testing.T, ns, body string) {
	t.Helper()
	job := harness.Get(t, cluster.Client, ns, "job", &batchv1.Job{})
	if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(body)); err != nil {
		t.Fatal(err)
	}
}
