// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/truncate"
)

// Limits of a record, in characters as in the schema.
const (
	maxCode    = 256
	maxField   = 1024
	maxValue   = 16 << 10
	maxSource  = 512
	maxMessage = 32 << 10
	// maxJobInName leaves room for the rest of a name of 63 characters, which
	// stays easy to read and to type.
	maxJobInName = 52
)

// encoding makes of a hash what a name can hold.
var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return encoding.EncodeToString(sum[:])[:10]
}

// ErrorName returns that of the JobError with this key: the same one however often the
// Job fails so, and however often the operator starts.
func ErrorName(job string, uid types.UID, key string) string {
	if len(job) > maxJobInName {
		job = job[:maxJobInName]
	}
	return strings.TrimRight(job, "-.") + "-" + digest(string(uid), key)
}

// JobError is the record of a failure of a Job, without its link to the Job.
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
		je.Spec = specOf(*f.Report, je.Spec, f.At)
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
	bound(&je.Spec)
	return je
}

// Key and code of the failure that counts all those over the limit.
const (
	overflowKey  = "overflow"
	overflowCode = "CaptureLimitExceeded"
)

// Overflow is what a failure over the limit of its Job counts as.
func Overflow(f Failure, limit int) Failure {
	return Failure{
		Key: overflowKey, Occurrence: f.Key + "/" + f.Occurrence, Code: overflowCode, Source: f.Source, At: f.At, PodLevel: true,
		Message: fmt.Sprintf("the Job failed in more than %d ways; status.occurrences counts the failures that are not recorded one by one", limit),
	}
}

// specOf is what a record says, and by default what is known of the run that
// reported it until then.
func specOf(r resolvev1.Record, by joberrorv1.JobErrorSpec, until time.Time) joberrorv1.JobErrorSpec {
	spec := joberrorv1.JobErrorSpec{
		JobID: by.JobID, UserID: cmp.Or(r.UserID, by.UserID), CreatedAt: by.CreatedAt, Resolved: r.Resolved,
		Code: r.Code, Extract: r.Extract, Generate: r.Generate, Extracted: r.Extracted, Generated: r.Generated,
		Message: r.Message, Source: cmp.Or(r.Source, by.Source),
	}
	if at, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil && at.Before(until.Add(retention.ClockSkew)) {
		spec.CreatedAt = at.UTC().Format(time.RFC3339Nano)
	}
	return spec
}

// Limit is how long a field of a record may be, in characters.
type Limit struct {
	Field, Value string
	Max          int
}

// Limits are those of a record's fields, as the schema of JobErrors has them.
func Limits(r *resolvev1.Record) []Limit {
	return []Limit{
		{"_userId", r.UserID, maxSource}, {"code", r.Code, maxCode}, {"extract", r.Extract, maxField}, {"generate", r.Generate, maxField},
		{"extracted", r.Extracted, maxValue}, {"generated", r.Generated, maxValue}, {"message", r.Message, maxMessage}, {"source", r.Source, maxSource},
	}
}

// bound makes of each field what the schema takes: valid UTF-8, cut with a
// visible mark.
func bound(spec *joberrorv1.JobErrorSpec) {
	for field, limit := range map[*string]int{
		&spec.UserID: maxSource, &spec.Code: maxCode, &spec.Source: maxSource, &spec.Message: maxMessage,
		&spec.Extract: maxField, &spec.Generate: maxField, &spec.Extracted: maxValue, &spec.Generated: maxValue,
	} {
		*field = truncate.Characters(strings.ToValidUTF8(*field, "�"), limit)
	}
}

// CronJob is the name of the CronJob that a Job is a run of; empty where it is
// none.
func CronJob(job *batchv1.Job) string {
	owner := metav1.GetControllerOf(job)
	if owner == nil || owner.Kind != "CronJob" || !strings.HasPrefix(owner.APIVersion, batchv1.GroupName+"/") {
		return ""
	}
	return owner.Name
}

// cronJobOf returns the name of the CronJob that failed, or that started the Job.
func cronJobOf(f Failure, job *batchv1.Job) string {
	if f.CronJob {
		return job.Name
	}
	return CronJob(job)
}

// LastLines is the end of a text, of this many bytes at most, with a visible mark
// where something is cut off before it.
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
