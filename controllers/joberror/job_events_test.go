// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joberrors/joberrorstest"
)

func names(keys []types.NamespacedName) []string {
	var all []string
	for _, key := range keys {
		all = append(all, key.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// errorOf returns an error of a Job with labels.
func errorOf(name, job string, labels map[string]string, with ...func(*joberrorv1.JobError)) *joberrorv1.JobError {
	je := jobError(1)
	je.Name, je.Spec.JobID, je.Labels = name, job, labels
	je.Status.LastSeen = &metav1.Time{Time: earlier}
	for _, change := range with {
		change(je)
	}
	return je
}

func autoResolveOff(je *joberrorv1.JobError) {
	metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationAutoResolve, "false")
}

func seenAt(at time.Time) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.Status.LastSeen = &metav1.Time{Time: at} }
}

// runOf returns a run of the CronJob nightly.
func runOf(with ...func(*batchv1.Job)) *batchv1.Job {
	run := job("")
	run.Name, run.UID, run.CreationTimestamp = "run", "run-uid", metav1.NewTime(now)
	cronJob := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly", UID: "nightly"}}
	run.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cronJob, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
	for _, change := range with {
		change(run)
	}
	return run
}

func complete(job *batchv1.Job) { job.Status.Conditions = completedAt(now).Status.Conditions }

func annotated(job *batchv1.Job) {
	job.Annotations = map[string]string{joberrorv1.AnnotationRetention: "1d"}
}

func TestErrorsOfJob(t *testing.T) {
	t.Parallel()
	captured := map[string]string{joberrorv1.LabelCaptured: "true"}
	ofRun := map[string]string{joberrorv1.LabelCaptured: "true", joberrorv1.LabelCronJobName: "nightly"}
	server := &joberrorstest.Server{}
	r := newReconciler(t, interceptor.Funcs{}, server,
		errorOf("own-open", "run", captured),
		errorOf("own-resolved", "run", captured, resolved),
		errorOf("own-opted-out", "run", captured, autoResolveOff),
		errorOf("own-reported", "run", nil),
		errorOf("before-open", "earlier-run", ofRun),
		errorOf("before-resolved", "earlier-run", ofRun, resolved),
		errorOf("before-opted-out", "earlier-run", ofRun, autoResolveOff),
		errorOf("later", "another-run", ofRun, seenAt(now.Add(time.Minute))),
		errorOf("another", "job", captured),
	)
	own := []string{"own-open", "own-opted-out", "own-reported", "own-resolved"}
	for name, tc := range map[string]struct {
		before, after *batchv1.Job
		want          []string
	}{
		"created or deleted":    {nil, runOf(), own},
		"found complete":        {nil, runOf(complete), append([]string{"before-open"}, own...)},
		"completes":             {runOf(), runOf(complete), []string{"before-open", "own-open"}},
		"annotated":             {runOf(), runOf(annotated), own},
		"annotated when over":   {runOf(complete), runOf(complete, annotated), append([]string{"before-open"}, own...)},
		"changes in other ways": {runOf(), runOf(), nil},
		"changes when over":     {runOf(complete), runOf(complete), nil},
	} {
		if got := names(r.errorsOfJob(t.Context(), tc.before, tc.after)); !slices.Equal(got, tc.want) {
			t.Errorf("a Job that is %s changes %v, want %v", name, got, tc.want)
		}
	}
}

// A pod that recovers ends one error, whatever name that has, and leaves the others.
func TestErrorsEndedByAPod(t *testing.T) {
	t.Parallel()
	own := job("")
	name := imageError(own)
	captured := map[string]string{joberrorv1.LabelCaptured: "true"}
	r := newReconciler(t, interceptor.Funcs{}, &joberrorstest.Server{},
		errorOf(name, own.Name, nil), errorOf(failure.NumberedName(name, 2), own.Name, captured), errorOf("exit", own.Name, captured),
		errorOf(failure.ErrorName(own.Name, own.UID, "wait/main/CreateContainerError"), own.Name, captured, resolved),
	)
	stuck := podOf(own, "a", waiting)
	for _, tc := range []struct {
		before, after *corev1.Pod
		want          []string
	}{
		{nil, stuck, nil},
		{stuck, podOf(own, "a", running), []string{failure.NumberedName(name, 2)}},
		{podOf(own, "a", running), podOf(own, "a", running), nil},
	} {
		if got := names(r.errorsEndedBy(t.Context(), tc.before, tc.after)); !slices.Equal(got, tc.want) {
			t.Errorf("ended %v, want %v", got, tc.want)
		}
	}
}
