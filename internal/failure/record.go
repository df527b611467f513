// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/owner"
	"joberror.io/operator/internal/retention"
)

// JobError returns the JobError of a failure, without its link to the Job. The user is its
// creator, unless a reported record names another one.
func (f Failure) JobError(job *batchv1.Job, user string) *joberrorv1.JobError {
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, Name: ErrorName(job.Name, job.UID, f.Key),
			Labels: map[string]string{joberrorv1.LabelClass: f.Class()},
		},
		Spec: joberrorv1.JobErrorSpec{
			JobID: job.Name, UserID: user, CreatedAt: f.At.UTC().Format(time.RFC3339),
			Code: f.Code, Source: f.Source, Message: f.Message,
		},
	}
	if f.Report != nil {
		applyReport(&je.Spec, f.Report, f.At)
	} else {
		je.Labels[joberrorv1.LabelCaptured] = joberrorv1.Captured
		if f.Key == overflowKey {
			je.Labels[joberrorv1.LabelCaptured] = joberrorv1.CapturedOverflow
		}
		if cronJob := cronJobOf(f, job); cronJob != "" {
			je.Labels[joberrorv1.LabelCronJobName] = cronJob
		}
	}
	f.Annotate(je)
	truncateFields(&je.Spec)
	return je
}

// Key and code of the failure that counts the failures over the limit of its Job.
const (
	overflowKey  = "overflow"
	overflowCode = "CaptureLimitExceeded"
)

// Overflow returns the failure that a failure over the limit of its Job is counted as.
func Overflow(f Failure, limit int) Failure {
	return Failure{
		Key: overflowKey, Occurrence: f.Key + "/" + f.Occurrence, Code: overflowCode, Source: f.Source, At: f.At, PodLevel: true,
		Message: fmt.Sprintf("the Job failed in more than %d ways; status.occurrences counts the failures that are not recorded one by one", limit),
	}
}

// applyReport sets the fields of a spec that a reported record has. A createdAt after the
// given time, apart from the allowed clock skew, is ignored.
func applyReport(spec *joberrorv1.JobErrorSpec, r *resolvev1.Record, until time.Time) {
	overlay(spec, r)
	spec.Resolved = r.Resolved
	if at, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil && at.Before(until.Add(retention.ClockSkew)) {
		spec.CreatedAt = at.UTC().Format(time.RFC3339Nano)
	}
}

// cronJobOf returns the name of the CronJob that failed, or that started the Job.
func cronJobOf(f Failure, job *batchv1.Job) string {
	if f.CronJob {
		return job.Name
	}
	return owner.CronJob(job)
}

// LastLines returns the last whole lines of a text, at most limit bytes long. A mark at the
// beginning shows that more came before.
func LastLines(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit+len("…\n"):]
	if _, rest, found := strings.Cut(text, "\n"); found {
		text = rest
	}
	return "…\n" + strings.ToValidUTF8(text, "")
}
