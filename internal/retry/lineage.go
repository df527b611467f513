// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"cmp"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Lineage is a Job with all its retries.
type Lineage struct {
	// Root is the UID of the Job that ran first.
	Root types.UID
	// Base is the beginning of the names of the retries: the name of the Job that ran first,
	// or as much of it as fits.
	Base string
}

// LineageOf returns the lineage of a Job. A Job that is not a retry begins its own.
func LineageOf(job *batchv1.Job) Lineage {
	if root := RootOf(job); root != job.UID {
		base, _ := splitName(job.Name)
		return Lineage{root, base}
	}
	return Lineage{job.UID, job.Name}
}

// LineageOfGone returns the lineage of a Job that is gone, by its name, its UID and the label
// LabelLineage of its errors, which is empty unless the Job was a retry.
func LineageOfGone(name string, uid, label types.UID) Lineage {
	if label != "" {
		base, _ := splitName(name)
		return Lineage{label, base}
	}
	return Lineage{uid, name}
}

// Fitting returns the lineage with a base that leaves room in the names of Jobs with a spec.
func (l Lineage) Fitting(spec *batchv1.JobSpec) Lineage {
	indexes := int32(0)
	if IsIndexed(spec) {
		indexes = *spec.Completions
	}
	return Lineage{l.Root, baseName(l.Base, l.Root, indexes)}
}

// RootOf returns the UID of the Job that ran first in a Job's lineage.
func RootOf(job *batchv1.Job) types.UID {
	return cmp.Or(types.UID(job.Annotations[joberrorv1.AnnotationRetryOf]), job.UID)
}

// RequestOf returns the UID of the JobErrorRetry that a Job was created for; empty if it is
// not a retry.
func RequestOf(job *batchv1.Job) types.UID {
	return types.UID(job.Annotations[joberrorv1.AnnotationRetry])
}

// Attempt returns the number of a Job in its lineage: 0 for the Job that ran first.
func Attempt(job *batchv1.Job) int32 {
	if RequestOf(job) == "" {
		return 0
	}
	_, attempt := splitName(job.Name)
	return attempt
}
