// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"iter"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
)

// EnvRetryOf is the environment variable of every container of a retry. It holds the UID of
// the Job that ran first, with which the retry can read the open errors of that Job.
const EnvRetryOf = "JOBERROR_RETRY_OF"

// queueLabel assigns a Job to a queue of Kueue, which starts it when there is room.
const queueLabel = "kueue.x-k8s.io/queue-name"

// Plan holds what the Job of a retry is made from.
type Plan struct {
	// Template is the template of the Job, as a Job controller or a CronJob would use it.
	Template batchv1.JobTemplateSpec
	// Namespace, Lineage and Attempt name the Job.
	Namespace string
	Lineage   Lineage
	Attempt   int32
	// Request is the UID of the JobErrorRetry.
	Request types.UID
	// CronJob is the owner; nil if the Job has none.
	CronJob *batchv1.CronJob
	Set     []joberrorv1.ContainerOverride
}

// OriginalTemplate returns the template that a Job was made from, as far as the Job shows it.
func OriginalTemplate(job *batchv1.Job) batchv1.JobTemplateSpec {
	return batchv1.JobTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: maps.Clone(job.Labels), Annotations: maps.Clone(job.Annotations)},
		Spec:       *job.Spec.DeepCopy(),
	}
}

// CurrentTemplate returns the template of a CronJob, with the scheduled time of the run that
// failed.
func CurrentTemplate(cronJob *batchv1.CronJob, failed map[string]string) batchv1.JobTemplateSpec {
	template := *cronJob.Spec.JobTemplate.DeepCopy()
	if at, found := failed[batchv1.CronJobScheduledTimestampAnnotation]; found {
		metav1.SetMetaDataAnnotation(&template.ObjectMeta, batchv1.CronJobScheduledTimestampAnnotation, at)
	}
	return template
}

// Name returns the name of the Job.
func (p Plan) Name() string { return p.Lineage.Fitting(&p.Template.Spec).Name(p.Attempt) }

// Job returns the Job to create. It is suspended and in no queue, so that it cannot run before
// the retry remembers its UID: a Job that ran may already be deleted, and the retry would
// create it again. Release starts it.
func (p Plan) Job() *batchv1.Job {
	template := *p.Template.DeepCopy()
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Namespace, Name: p.Name(), Labels: template.Labels, Annotations: template.Annotations,
		},
		Spec: template.Spec,
	}
	stripMarks(job)
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, joberrorv1.AnnotationHeld, job.Labels[queueLabel])
	delete(job.Labels, queueLabel)
	metav1.SetMetaDataLabel(&job.ObjectMeta, joberrorv1.LabelLineage, string(p.Lineage.Root))
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, joberrorv1.AnnotationRetryOf, string(p.Lineage.Root))
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, joberrorv1.AnnotationRetry, string(p.Request))
	if p.CronJob != nil {
		job.OwnerReferences = []metav1.OwnerReference{cronJobReference(p.CronJob)}
	}
	job.Spec.Selector, job.Spec.ManualSelector = nil, nil
	job.Spec.Suspend = ptr.To(true)
	for _, label := range controllerLabels {
		delete(job.Spec.Template.Labels, label)
	}
	setRetryOf(&job.Spec.Template.Spec, p.Lineage.Root)
	override(&job.Spec.Template.Spec, p.Set)
	return job
}

// IsHeld reports whether the Job of a retry is not released yet.
func IsHeld(job *batchv1.Job) bool {
	_, held := job.Annotations[joberrorv1.AnnotationHeld]
	return held
}

// Release returns the merge patch that lets a held Job run: in its queue, from which Kueue
// starts it, or at once.
func Release(job *batchv1.Job) map[string]any {
	metadata := map[string]any{"uid": job.UID, "annotations": map[string]any{joberrorv1.AnnotationHeld: nil}}
	if queue := job.Annotations[joberrorv1.AnnotationHeld]; queue != "" {
		metadata["labels"] = map[string]any{queueLabel: queue}
		return map[string]any{"metadata": metadata}
	}
	return map[string]any{"metadata": metadata, "spec": map[string]any{"suspend": false}}
}

// cronJobReference returns the reference to a CronJob that lets its history limits delete the
// Job. It does not block the deletion of the CronJob: for that, the operator would need a
// right on CronJobs.
func cronJobReference(cronJob *batchv1.CronJob) metav1.OwnerReference {
	reference := metav1.NewControllerRef(cronJob, batchv1.SchemeGroupVersion.WithKind("CronJob"))
	reference.BlockOwnerDeletion = nil
	return *reference
}

// setRetryOf sets EnvRetryOf in each container.
func setRetryOf(pod *corev1.PodSpec, root types.UID) {
	variable := []corev1.EnvVar{{Name: EnvRetryOf, Value: string(root)}}
	for c := range containersOf(pod) {
		c.Env = mergeEnv(c.Env, variable)
	}
}

// unsetRetryOf removes EnvRetryOf from each container.
func unsetRetryOf(pod *corev1.PodSpec) {
	for c := range containersOf(pod) {
		c.Env = slices.DeleteFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == EnvRetryOf })
		if len(c.Env) == 0 {
			c.Env = nil
		}
	}
}

// containersOf returns the containers and init containers of a pod.
func containersOf(pod *corev1.PodSpec) iter.Seq[*corev1.Container] {
	return func(yield func(*corev1.Container) bool) {
		for _, containers := range [][]corev1.Container{pod.Containers, pod.InitContainers} {
			for i := range containers {
				if !yield(&containers[i]) {
					return
				}
			}
		}
	}
}
