// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

const rootUID types.UID = "5d0c1f3e-0000-4000-8000-000000000001"

// option changes a Job.
type option func(*batchv1.Job)

// failedJob returns a Job as the API server has it after it failed.
func failedJob(options ...option) *batchv1.Job {
	own := map[string]string{
		batchv1.ControllerUidLabel: string(rootUID), batchv1.JobNameLabel: "import", "controller-uid": string(rootUID), "job-name": "import",
	}
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "import", UID: rootUID},
		Spec: batchv1.JobSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: string(rootUID)}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: own},
				Spec: corev1.PodSpec{
					InitContainers: []corev1.Container{{Name: "fetch", Image: "curl"}},
					Containers: []corev1.Container{{
						Name: "main", Image: "importer", Args: []string{"--all"}, Env: []corev1.EnvVar{{Name: "MODE", Value: "full"}},
					}},
				},
			},
		},
		Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue}}},
	}
	for _, o := range options {
		o(job)
	}
	return job
}

func labeled(labels map[string]string) option { return func(j *batchv1.Job) { j.Labels = labels } }

func annotated(annotations map[string]string) option {
	return func(j *batchv1.Job) { j.Annotations = annotations }
}

func named(name string) option { return func(j *batchv1.Job) { j.Name = name } }

func active(j *batchv1.Job) { j.Status.Conditions = nil }

// indexed makes a Job Indexed, of which some indexes have succeeded.
func indexed(completions int32, completed string) option {
	return func(j *batchv1.Job) {
		j.Spec.CompletionMode, j.Spec.Completions = ptr.To(batchv1.IndexedCompletion), &completions
		j.Status.CompletedIndexes = completed
	}
}

func controlledBy(apiVersion, kind, name string) option {
	return func(j *batchv1.Job) {
		j.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: "2", Controller: ptr.To(true)}}
	}
}

// planFor returns the plan of the first retry of a Job with its original template.
func planFor(job *batchv1.Job) Plan {
	return Plan{Template: OriginalTemplate(job), Namespace: job.Namespace, Lineage: LineageOf(job), Attempt: 1, Request: "request"}
}
