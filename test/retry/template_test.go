// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// cronJob returns a CronJob that never starts a run itself.
func cronJob(ns, name string) *batchv1.CronJob {
	return &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", Suspend: ptr.To(true), ConcurrencyPolicy: batchv1.ForbidConcurrent, FailedJobsHistoryLimit: ptr.To[int32](10),
			JobTemplate: batchv1.JobTemplateSpec{Spec: harness.Job(ns, name, running).Spec},
		},
	}
}

// failedRun creates a run of a CronJob, as its controller would, that has failed.
func failedRun(t *testing.T, cronJob *batchv1.CronJob, name string) *batchv1.Job {
	t.Helper()
	return failedJob(t, cronJob.Namespace, name, func(job *batchv1.Job) {
		job.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cronJob, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
		job.Annotations = map[string]string{batchv1.CronJobScheduledTimestampAnnotation: "2025-11-06T00:00:00Z"}
	})
}

// fix changes the template of a CronJob.
func fix(t *testing.T, cronJob *batchv1.CronJob) {
	t.Helper()
	patch := client.MergeFrom(cronJob.DeepCopy())
	cronJob.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image = "busybox:fixed"
	if err := cluster.Client.Patch(t.Context(), cronJob, patch); err != nil {
		t.Fatal(err)
	}
}

func TestTheTemplateOfARetry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		template joberrorv1.RetryTemplate
		gone     bool
		image    string
		from     joberrorv1.RetryTemplateFrom
	}{
		"by default, the CronJob's": {image: "busybox:fixed", from: joberrorv1.TemplateFromCronJob},
		"Current":                   {template: joberrorv1.RetryCurrent, image: "busybox:fixed", from: joberrorv1.TemplateFromCronJob},
		"Original":                  {template: joberrorv1.RetryOriginal, image: "busybox", from: joberrorv1.TemplateFromJob},
		"of a Job that is gone":     {gone: true, image: "busybox:fixed", from: joberrorv1.TemplateFromCronJob},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			cronJob := harness.Create(t, cluster.Client, cronJob(ns, "nightly"))
			run := failedRun(t, cronJob, "nightly-29373120")
			fix(t, cronJob)
			if tc.gone {
				deleteJob(t, run)
				harness.Eventually(t, func() string {
					if len(jobsIn(t, ns)) > 0 {
						return "the Job still exists"
					}
					return ""
				})
			}
			harness.Create(t, cluster.Client, retryOf(ns, "again", run.Name, func(spec *joberrorv1.JobErrorRetrySpec) { spec.Template = tc.template }))
			jet := awaitRetry(t, ns, "again", hasStarted)
			job := harness.Get(t, cluster.Client, ns, jet.Status.Job.Name, &batchv1.Job{})
			if job.Spec.Template.Spec.Containers[0].Image != tc.image || jet.Status.TemplateFrom != tc.from {
				t.Errorf("image = %s, from = %s, want %s from %s", job.Spec.Template.Spec.Containers[0].Image, jet.Status.TemplateFrom, tc.image, tc.from)
			}
			if job.Annotations[batchv1.CronJobScheduledTimestampAnnotation] != "2025-11-06T00:00:00Z" {
				t.Errorf("annotations = %v, want the night of the failed run", job.Annotations)
			}
			if controller := metav1.GetControllerOf(job); controller == nil || controller.UID != cronJob.UID || ptr.Deref(controller.BlockOwnerDeletion, false) {
				t.Errorf("controller = %v, want the CronJob, whose history limit cleans up", controller)
			}
			if jet.Status.Root.UID != run.UID {
				t.Errorf("root = %v, want %s", jet.Status.Root, run.UID)
			}
		})
	}
}

func TestMarksOfOtherTools(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import", func(job *batchv1.Job) {
		job.Labels = map[string]string{
			"team": "data", "app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm",
			"kustomize.toolkit.fluxcd.io/name": "apps", "kueue.x-k8s.io/queue-name": "batch",
		}
		job.Annotations = map[string]string{
			"argocd.argoproj.io/tracking-id": "shop:batch/Job:team/import", "meta.helm.sh/release-name": "shop", "note": "kept",
			"kubectl.kubernetes.io/last-applied-configuration": "{}",
		}
		job.Spec.TTLSecondsAfterFinished, job.Spec.ActiveDeadlineSeconds = ptr.To[int32](86400), ptr.To[int64](3600)
	})
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	jet := awaitRetry(t, ns, "again", hasStarted)
	job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{})
	for _, key := range []string{"kustomize.toolkit.fluxcd.io/name", "app.kubernetes.io/managed-by"} {
		if value, found := job.Labels[key]; found {
			t.Errorf("label %s = %s is left", key, value)
		}
	}
	for _, key := range []string{"argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name", "kubectl.kubernetes.io/last-applied-configuration"} {
		if value, found := job.Annotations[key]; found {
			t.Errorf("annotation %s = %s is left", key, value)
		}
	}
	if job.Labels["team"] != "data" || job.Annotations["note"] != "kept" || *job.Spec.TTLSecondsAfterFinished != 86400 || *job.Spec.ActiveDeadlineSeconds != 3600 {
		t.Errorf("labels = %v, annotations = %v, want what belongs to the work", job.Labels, job.Annotations)
	}
	// The Job waits in its queue for Kueue, which is not here.
	if job.Labels["kueue.x-k8s.io/queue-name"] != "batch" || !*job.Spec.Suspend || jet.Status.StartedAt == nil {
		t.Errorf("labels = %v, suspend = %v, want the Job in its queue", job.Labels, *job.Spec.Suspend)
	}
	if env := job.Spec.Template.Spec.Containers[0].Env; len(env) != 1 || env[0].Name != "JOBERROR_RETRY_OF" || env[0].Value != string(jet.Status.Root.UID) {
		t.Errorf("env = %v, want the first Job", env)
	}
}

func TestTheTemplateOfAJobThatIsGoneIsKept(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	kept := failedJob(t, ns, "import", func(job *batchv1.Job) { job.Spec.Template.Spec.Containers[0].Args = []string{"--all"} })
	for _, je := range awaitErrors(t, ns, "import") {
		if je.Annotations[joberrorv1.AnnotationTemplate] == "" {
			t.Errorf("error %s names no template", je.Name)
		}
	}
	deleteJob(t, kept)
	harness.Create(t, cluster.Client, retryOf(ns, "again", "import"))
	jet := awaitRetry(t, ns, "again", hasStarted)
	job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{})
	if jet.Status.TemplateFrom != joberrorv1.TemplateFromRevision || job.Spec.Template.Spec.Containers[0].Args[0] != "--all" || jet.Status.Root.UID != kept.UID {
		t.Errorf("status = %+v, want the template that was kept", jet.Status)
	}
	endPods(t, ns, "import-r1", 1, succeeds)
	if jet = awaitRetry(t, ns, "again", isComplete); jet.Status.Resolved != errorsOfFailure {
		t.Errorf("resolved = %d, want the errors of the Job that is gone", jet.Status.Resolved)
	}
}
