// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/truncate"
)

// Limits for the text of an error in an Event, in bytes. The API server refuses an
// Event whose note is longer than 1,024 bytes.
const (
	maxCodeInEvent    = 128
	maxMessageInEvent = 400
)

// announce writes Events about a change of a JobError where people look for them: on
// the Job when an error of it was recorded, and on the JobError when somebody resolved
// or reopened it. A JobErrorResolution announces its changes once, on the Job: an Event
// for each error would double the writes.
func (r *Reconciler) announce(je *joberrorv1.JobError, before *joberrorv1.JobErrorStatus, link link) {
	if link.job != nil && !meta.IsStatusConditionTrue(before.Conditions, joberrorv1.ConditionLinked) {
		// Without a related object, these Events are one series on the Job, however
		// many errors it has.
		r.Recorder.Eventf(link.job, nil, corev1.EventTypeWarning, "ErrorRecorded", "Record",
			"JobError %s: %s %s", je.Name, truncate.Bytes(je.Spec.Code, maxCodeInEvent), truncate.Bytes(je.Spec.Message, maxMessageInEvent))
	}
	r.announceRefusals(before, link)
	was := meta.FindStatusCondition(before.Conditions, joberrorv1.ConditionResolved)
	is := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
	if was != nil && was.Status == is.Status {
		return
	}
	if je.Spec.Resolved {
		metrics.Resolved(je.Namespace, is.Reason, r.Clock.Since(retention.CreatedAt(je)))
	}
	switch {
	case attribution.MarkOf(je).Resolution.Name != "":
	case je.Spec.Resolved:
		r.Recorder.Eventf(je, link.object(), corev1.EventTypeNormal, "Resolved", "Resolve", "%s", is.Message)
	case is.Reason == joberrorv1.ReasonReopened:
		r.Recorder.Eventf(je, link.object(), corev1.EventTypeNormal, "Reopened", "Reopen", "%s", is.Message)
	}
}

// announceRefusals warns on the Job if an annotation of it is not honored, once for each
// value. The condition Linked remembers what was announced.
func (r *Reconciler) announceRefusals(before *joberrorv1.JobErrorStatus, link link) {
	if link.job == nil {
		return
	}
	announced := ""
	if linked := meta.FindStatusCondition(before.Conditions, joberrorv1.ConditionLinked); linked != nil {
		announced = linked.Message
	}
	for _, refusal := range link.refusals {
		if !strings.Contains(announced, refusal.Message) {
			r.Recorder.Eventf(link.job, nil, corev1.EventTypeWarning, refusal.Reason, "Record", "%s", refusal.Message)
		}
	}
}
