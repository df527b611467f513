// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package workload finds what the Job of an error belongs to: its CronJob, the root of its
// owners, or its Helm release.
package workload

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
)

// Workload names what a person deployed.
type Workload struct {
	Namespace string
	// Kind is a kind in lower case, such as cronjob or jobset, or helm for a Helm release.
	Kind string
	Name string
}

// String returns kind/name, as kubectl names objects.
func (w Workload) String() string { return w.Kind + "/" + w.Name }

// Job holds what an error says about its Job.
type Job struct {
	Namespace, Name string
	// UID is empty if the error is not linked to a Job.
	UID types.UID
	// CronJob is the name of the Job's CronJob, if the error has it.
	CronJob string
	// Root is the UID of the first Job of the lineage if the Job is a retry.
	Root types.UID
}

// JobOf returns the Job of an error.
func JobOf(je *joberrorv1.JobError) Job {
	job := Job{
		Namespace: je.Namespace, Name: je.Spec.JobID,
		CronJob: je.Labels[joberrorv1.LabelCronJobName], Root: types.UID(je.Labels[joberrorv1.LabelLineage]),
	}
	if link := joblink.Linked(je); link != nil {
		job.Name, job.UID = link.Name, link.UID
	}
	return job
}

// known returns the workload if it follows from the error.
func (j Job) known() (Workload, bool) {
	switch {
	case j.Name == joberrorv1.NamespaceJobID:
		return Workload{j.Namespace, "namespace", j.Namespace}, true
	case j.CronJob != "":
		return Workload{j.Namespace, "cronjob", j.CronJob}, true
	}
	return Workload{}, false
}

func kind(name string) string { return strings.ToLower(name) }
