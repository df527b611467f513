// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// reasonFailedCreate is the reason of an Event about a Job's pod, or a CronJob's Job, that
// can't be created.
const reasonFailedCreate = "FailedCreate"

// Reasons of the Events about failures that no status shows.
var (
	// PodEventReasons keep a pod in ContainerCreating.
	PodEventReasons = []string{"FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"}
	// cronJobEventReasons keep a CronJob from starting a Job.
	cronJobEventReasons = map[string]bool{
		"MissSchedule": true, reasonFailedCreate: true, "UnparseableSchedule": true, "InvalidSchedule": true, "UnknownTimeZone": true,
	}
	// jobEventReasons are a Job's reasons for its failure.
	jobEventReasons = map[string]bool{
		batchv1.JobReasonBackoffLimitExceeded: true, batchv1.JobReasonDeadlineExceeded: true, batchv1.JobReasonPodFailurePolicy: true,
		batchv1.JobReasonFailedIndexes: true, batchv1.JobReasonMaxFailedIndexesExceeded: true,
	}
)

// onlyEvent follows the message of a failure that only an Event shows.
const onlyEvent = " (from an Event; the Job was gone before the operator could see its pods, and nothing else is known)"

// cronJobSource is the source of a CronJob's failures.
const cronJobSource = "cronjob"

// FromJobEvent returns the failure that an Event on a Job shows. Events are best effort,
// and may come before or after the status that shows the same failure, which has the
// same occurrence.
func FromJobEvent(e *corev1.Event) (Failure, bool) {
	job, at := e.InvolvedObject, eventTime(e)
	switch {
	case e.Reason == reasonFailedCreate:
		return Failure{
			Key: JobKey(reasonFailedCreate), Occurrence: eventOccurrence(job.UID, e.Reason, at), Code: e.Reason, Message: e.Message,
			Source: job.Name, At: at, Transient: true, FromEvent: true, Subject: job.UID,
		}, true
	case jobEventReasons[e.Reason]:
		return Failure{
			Key: JobKey(e.Reason), Occurrence: jobOccurrence(job.UID, e.Reason), Code: e.Reason, Message: e.Message + onlyEvent,
			Source: job.Name, At: at, FromEvent: true, Subject: job.UID,
		}, true
	default:
		return Failure{}, false
	}
}

// FromCronJobEvent returns why a CronJob did not start a Job.
func FromCronJobEvent(e *corev1.Event) (Failure, bool) {
	if !cronJobEventReasons[e.Reason] {
		return Failure{}, false
	}
	at := eventTime(e)
	return Failure{
		Key: "cronjob/" + e.Reason, Occurrence: eventOccurrence(e.InvolvedObject.UID, e.Reason, at), Code: e.Reason, Message: e.Message,
		Source: cronJobSource, At: at, FromEvent: true, CronJob: true, Subject: e.InvolvedObject.UID,
	}, true
}

// FromPodEvent returns why a pod's containers are not created.
func FromPodEvent(e *corev1.Event, pod *corev1.Pod) Failure {
	return Failure{
		Key: podEventKey(e.Reason, pod), Occurrence: string(pod.UID) + "/" + e.Reason, Code: e.Reason, Message: e.Message,
		Source: pod.Name, At: eventTime(e), Transient: true, FromEvent: true, PodLevel: true, Subject: pod.UID, Pod: factsOf(pod),
	}
}

func podEventKey(reason string, pod *corev1.Pod) string { return "pod/" + reason + indexOf(pod) }

// PodCreated returns the wait state of a Job one of whose pods was created: nothing keeps
// it from being created any more.
func PodCreated(job types.UID, pod *corev1.Pod) WaitState {
	return WaitState{UID: job, Recovered: map[string]bool{JobKey(reasonFailedCreate): true}, Since: pod.CreationTimestamp.Time}
}

// JobEnded returns the wait state of a Job that failed or is gone: none of its pods will be
// created.
func JobEnded(job types.UID) WaitState {
	return WaitState{UID: job, Waiting: map[string]bool{JobKey(reasonFailedCreate): true}, Ended: true}
}

func eventOccurrence(subject types.UID, reason string, at time.Time) string {
	return fmt.Sprintf("%s/%s/%d", subject, reason, at.Unix())
}

// eventTime returns when an Event last happened.
func eventTime(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	default:
		return e.CreationTimestamp.Time
	}
}
