// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package restore keeps what a record from a backup says about the past: who resolved it,
// when, and how often it happened. The API server drops the status of a new object, so the
// webhook moves it to an annotation, and the controllers take it over from there.
package restore

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

const (
	// veleroLabel is a label that Velero puts on all objects that it creates.
	veleroLabel = "velero.io/restore-name"
	// veleroDelay is how long Velero may take to write the status of an object that it has
	// created. Its write fails if the operator has changed the object before.
	veleroDelay = 10 * time.Second
	// maxStatus limits the length of a status in an annotation, in bytes. The API server
	// accepts 256 KiB for all annotations of an object.
	maxStatus = 128 << 10
)

// KeepJobError moves the status of a new JobError to its annotation. It also makes the
// mark of the last change belong to the generation of a new object; otherwise the mark
// would attribute a later change.
func KeepJobError(je *joberrorv1.JobError) error {
	if je.Status.ExpiresAt != nil {
		if err := keep(je, je.Status); err != nil {
			return err
		}
	}
	attribution.SetGeneration(je, 1)
	return nil
}

// KeepResolution moves the status of a new JobErrorResolution to its annotation, with as
// many names of errors as fit. A resolution with this annotation is never carried out.
func KeepResolution(jer *joberrorv1.JobErrorResolution) error {
	if IsRestored(jer) && jer.Status.StartedAt == nil {
		return nil
	}
	status := jer.Status
	for {
		if err := keep(jer, status); err != nil {
			return err
		}
		if len(jer.Annotations[joberrorv1.AnnotationRestoredStatus]) <= maxStatus || len(status.Errors) == 0 {
			return nil
		}
		status.Errors, status.Truncated = status.Errors[:len(status.Errors)/2], true
	}
}

// KeepRetry moves the status of a new JobErrorRetry to its annotation. A retry with this
// annotation is never carried out.
func KeepRetry(jet *joberrorv1.JobErrorRetry) error {
	if IsRestored(jet) && len(jet.Status.Conditions) == 0 {
		return nil
	}
	return keep(jet, jet.Status)
}

func keep(obj metav1.Object, status any) error {
	data, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[joberrorv1.AnnotationRestoredStatus] = string(data)
	obj.SetAnnotations(annotations)
	return nil
}

// IsRestored reports whether an object was restored and still has the annotation.
func IsRestored(obj metav1.Object) bool {
	_, found := obj.GetAnnotations()[joberrorv1.AnnotationRestoredStatus]
	return found
}

// TakeOver sets the status of a restored JobError that has none yet, and reports whether
// it did. An annotation that is not a status counts as none.
//
// A restored status describes the generation that the JobError had before. The JobError
// now starts over with generation 1.
func TakeOver(je *joberrorv1.JobError) bool {
	taken := false
	if je.Status.ExpiresAt == nil && IsRestored(je) {
		var status joberrorv1.JobErrorStatus
		if err := json.Unmarshal([]byte(je.Annotations[joberrorv1.AnnotationRestoredStatus]), &status); err == nil && status.ExpiresAt != nil {
			je.Status, taken = status, true
		}
	}
	if taken || je.Status.ObservedGeneration > je.Generation {
		je.Status.ObservedGeneration = 1
	}
	return taken
}

// Finish removes the annotation of a JobError whose status has been taken over.
func Finish(je *joberrorv1.JobError) {
	delete(je.Annotations, joberrorv1.AnnotationRestoredStatus)
}

// ResolutionStatus returns the status of a restored JobErrorResolution: its own if it has
// started, and otherwise the one in its annotation. It is empty if there is none.
func ResolutionStatus(jer *joberrorv1.JobErrorResolution) joberrorv1.JobErrorResolutionStatus {
	if jer.Status.StartedAt != nil {
		return *jer.Status.DeepCopy()
	}
	var status joberrorv1.JobErrorResolutionStatus
	if err := json.Unmarshal([]byte(jer.Annotations[joberrorv1.AnnotationRestoredStatus]), &status); err != nil {
		return joberrorv1.JobErrorResolutionStatus{}
	}
	return status
}

// RetryStatus returns the status of a restored JobErrorRetry: its own if it has one, and
// otherwise the one in its annotation. It is empty if there is none.
func RetryStatus(jet *joberrorv1.JobErrorRetry) joberrorv1.JobErrorRetryStatus {
	if len(jet.Status.Conditions) > 0 {
		return *jet.Status.DeepCopy()
	}
	var status joberrorv1.JobErrorRetryStatus
	if err := json.Unmarshal([]byte(jet.Annotations[joberrorv1.AnnotationRestoredStatus]), &status); err != nil {
		return joberrorv1.JobErrorRetryStatus{}
	}
	return status
}

// Wait returns how long to leave a new object alone, because Velero may be about to write
// its status.
func Wait(obj metav1.Object, hasStatus bool, now time.Time) time.Duration {
	if _, byVelero := obj.GetLabels()[veleroLabel]; !byVelero || hasStatus {
		return 0
	}
	return max(0, obj.GetCreationTimestamp().Add(veleroDelay).Sub(now))
}
