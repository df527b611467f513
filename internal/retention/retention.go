// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package retention decides how long a record is kept.
package retention

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	batchv1 "k8s.io/api/batch/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/truncate"
)

// ClockSkew is how far ahead of the operator's clock a record's createdAt may
// be.
const ClockSkew = 5 * time.Minute

// Policy is the retention of records whose Job asks for none of its own.
type Policy struct {
	Default time.Duration
}

// Parse reads a Job's own retention, such as 12h, 7d or 4w.
func Parse(value string) (time.Duration, error) {
	d, err := model.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("annotation %s: %q is no retention: it must be a positive number with a unit, for example 12h, 7d or 4w",
			joberrorv1.AnnotationRetention, value)
	}
	return time.Duration(d), nil
}

// maxText is how much of an annotation is remembered, in bytes. No retention
// that can be read is longer.
const maxText = 64

// OfJob is the annotation that holds the Job's own retention; empty where it
// has none, or where there is no Job.
func OfJob(job *batchv1.Job) string {
	if job == nil {
		return ""
	}
	return truncate.String(job.Annotations[joberrorv1.AnnotationRetention], maxText)
}

// Remembered returns the Job's own retention as the operator noted it on an error.
func Remembered(je *joberrorv1.JobError) string {
	return truncate.String(je.Annotations[joberrorv1.AnnotationRetention], maxText)
}

// For is the retention under a Job's own one. A Job's that can't be read
// counts as none.
func (p Policy) For(own string) time.Duration {
	if d, err := Parse(own); err == nil {
		return d
	}
	return p.Default
}

// CreatedAt is when the error happened: its createdAt, or the time at which
// the object was created where that is missing.
func CreatedAt(je *joberrorv1.JobError) time.Time {
	if t, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err == nil {
		return t
	}
	return je.CreationTimestamp.Time
}

// ExpiresAt is when a JobError is deleted, under the Job's own retention.
func (p Policy) ExpiresAt(je *joberrorv1.JobError, own string) time.Time {
	return CreatedAt(je).Add(p.For(own))
}

// EntryExpiresAt is when a JobErrorResolution is deleted.
func (p Policy) EntryExpiresAt(entry *joberrorv1.JobErrorResolution) time.Time {
	return entry.CreationTimestamp.Add(p.Default)
}

// Problem is why no record can have this createdAt now, under the Job's own
// retention; empty where it can.
func (p Policy) Problem(je *joberrorv1.JobError, own string, now time.Time) string {
	createdAt, err := time.Parse(time.RFC3339, je.Spec.CreatedAt)
	switch expiresAt := p.ExpiresAt(je, own); {
	case je.Spec.CreatedAt == "":
		return ""
	case err != nil:
		return "must be a time in RFC 3339, for example 2026-11-05T10:15:00.123Z"
	case createdAt.After(now.Add(ClockSkew)):
		return fmt.Sprintf("must not be more than %s ahead of the current time, %s", ClockSkew, now.UTC().Format(time.RFC3339))
	case !expiresAt.After(now):
		return fmt.Sprintf("is past its retention: the record would have expired at %s; remove it from where it is kept, for example from Git",
			expiresAt.UTC().Format(time.RFC3339))
	default:
		return ""
	}
}
