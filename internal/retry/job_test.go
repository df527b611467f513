// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"fmt"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestJob(t *testing.T) {
	t.Parallel()
	failed := failedJob(labeled(map[string]string{"team": "data"}), func(j *batchv1.Job) {
		j.Spec.BackoffLimit, j.Spec.TTLSecondsAfterFinished, j.Spec.ActiveDeadlineSeconds = ptr.To[int32](0), ptr.To[int32](0), ptr.To[int64](60)
		j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{Action: batchv1.PodFailurePolicyActionFailJob}}}
		j.Spec.ManagedBy = ptr.To("example.com/other")
	})
	before := failed.DeepCopy()
	job := planFor(failed).Job()
	if !equality.Semantic.DeepEqual(failed, before) {
		t.Error("the failed Job was changed")
	}
	if job.Namespace != "team" || job.Name != "import-r1" || job.UID != "" || job.ResourceVersion != "" || job.Labels["team"] != "data" {
		t.Errorf("metadata = %+v", job.ObjectMeta)
	}
	if job.Labels[joberrorv1.LabelLineage] != string(rootUID) || job.Annotations[joberrorv1.AnnotationRetryOf] != string(rootUID) || job.Annotations[joberrorv1.AnnotationRetry] != "request" {
		t.Errorf("labels = %v, annotations = %v, want those of a retry", job.Labels, job.Annotations)
	}
	if !equality.Semantic.DeepEqual(job.Status, batchv1.JobStatus{}) || job.Spec.Selector != nil || len(job.Spec.Template.Labels) != 0 || !ptr.Deref(job.Spec.Suspend, false) {
		t.Errorf("spec = %+v, status = %+v, want a suspended Job without the failed one's selector and status", job.Spec, job.Status)
	}
	want := failed.Spec
	want.Selector, want.Suspend, want.Template = nil, job.Spec.Suspend, job.Spec.Template
	if !equality.Semantic.DeepEqual(job.Spec, want) {
		t.Errorf("spec = %+v, want the failed Job's %+v", job.Spec, want)
	}
	for _, containers := range [][]corev1.Container{job.Spec.Template.Spec.InitContainers, job.Spec.Template.Spec.Containers} {
		if last := containers[0].Env[len(containers[0].Env)-1]; last.Name != EnvRetryOf || last.Value != string(rootUID) {
			t.Errorf("container %s: the last variable is %v, want %s", containers[0].Name, last, EnvRetryOf)
		}
	}
}

// A retry of a retry starts from a Job that has the variable.
func TestRetryOfARetry(t *testing.T) {
	t.Parallel()
	second := planFor(failedJob()).Job()
	second.UID = "second"
	plan := planFor(second)
	plan.Attempt, plan.Request = 2, "later"
	third := plan.Job()
	if third.Name != "import-r2" || RootOf(third) != rootUID || RequestOf(third) != "later" {
		t.Errorf("name = %s, root = %s, request = %s", third.Name, RootOf(third), RequestOf(third))
	}
	if env := third.Spec.Template.Spec.Containers[0].Env; len(env) != 2 {
		t.Errorf("env = %v, want MODE and %s once", env, EnvRetryOf)
	}
}

func TestRetryOfACronJobsRun(t *testing.T) {
	t.Parallel()
	cronJob := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "nightly", UID: "cron"}}
	cronJob.Spec.JobTemplate = OriginalTemplate(failedJob(labeled(map[string]string{"version": "2"})))
	const scheduled = "2026-11-22T02:00:00Z"
	failed := failedJob(annotated(map[string]string{batchv1.CronJobScheduledTimestampAnnotation: scheduled}))
	plan := planFor(failed)
	plan.CronJob, plan.Template = cronJob, CurrentTemplate(cronJob, failed.Annotations)
	job := plan.Job()
	if job.Labels["version"] != "2" || job.Annotations[batchv1.CronJobScheduledTimestampAnnotation] != scheduled {
		t.Errorf("labels = %v, annotations = %v, want the current template's, and the night of the failed run", job.Labels, job.Annotations)
	}
	controller := metav1.GetControllerOf(job)
	if controller == nil || controller.UID != "cron" || controller.BlockOwnerDeletion != nil {
		t.Errorf("controller = %v, want the CronJob, not blocking its deletion", controller)
	}
	if cronJob.Spec.JobTemplate.Annotations != nil {
		t.Error("the CronJob was changed")
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	job := planFor(failedJob()).Job()
	job.UID = "new"
	if patch := fmt.Sprint(Release(job)); !IsHeld(job) || patch != "map[metadata:map[annotations:map[joberror.io/held:<nil>] uid:new] spec:map[suspend:false]]" {
		t.Errorf("held = %t, Release = %v, want to start the Job", IsHeld(job), patch)
	}
	job = planFor(failedJob(labeled(map[string]string{queueLabel: "batch"}))).Job()
	if job.Labels[queueLabel] != "" {
		t.Error("the held Job is in a queue")
	}
	want := "map[metadata:map[annotations:map[joberror.io/held:<nil>] labels:map[" + queueLabel + ":batch] uid:]]"
	if patch := fmt.Sprint(Release(job)); patch != want {
		t.Errorf("Release = %v, want the queue, and that Kueue starts the Job", patch)
	}
	delete(job.Annotations, joberrorv1.AnnotationHeld)
	if IsHeld(job) {
		t.Error("a Job that was released is held")
	}
}
