// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package retention decides how long errors and requests are kept.
package retention

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/truncate"
)

// ClockSkew limits how far a record's createdAt may be ahead of the operator's clock.
const ClockSkew = 5 * time.Minute

// Policy holds how long records are kept, and what a Job may request for its own.
type Policy struct {
	// Default is the retention of records whose Job requests none.
	Default time.Duration
	// Min is the shortest retention that a Job may request; 0 allows any.
	Min time.Duration
	// AllowCascade lets a Job request that its errors are deleted with it.
	AllowCascade bool
	// ResolvedAfter is how long after it was resolved a record moves to the archive; 0 if it
	// stays for its whole retention.
	ResolvedAfter time.Duration
}

// Parse parses a Job's own retention, such as 12h, 7d or 4w.
func Parse(value string) (time.Duration, error) {
	d, err := model.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("annotation %s: %q is not a retention: it must be a positive number with a unit, for example 12h, 7d or 4w",
			joberrorv1.AnnotationRetention, value)
	}
	return time.Duration(d), nil
}

// maxText limits how many bytes of an annotation are kept. Every valid retention is
// shorter.
const maxText = 64

// Requested returns the retention that a Job requests with its annotation. It is empty if
// the Job is nil or has no such annotation.
func Requested(job *batchv1.Job) string {
	if job == nil {
		return ""
	}
	return truncate.Bytes(job.Annotations[joberrorv1.AnnotationRetention], maxText)
}

// Remembered returns the Job's own retention as the operator recorded it on the error.
func Remembered(je *joberrorv1.JobError) string {
	return truncate.Bytes(je.Annotations[joberrorv1.AnnotationRetention], maxText)
}

// For returns the retention for a Job that requests the given one. An invalid request
// counts as none, and a shorter one than the minimum as the minimum.
func (p Policy) For(own string) time.Duration {
	if d, err := Parse(own); err == nil {
		return max(d, p.Min)
	}
	return p.Default
}

// CreatedAt returns when the error happened: its createdAt or, if that is missing or
// invalid, when the object was created.
func CreatedAt(je *joberrorv1.JobError) time.Time {
	if t, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err == nil {
		return t
	}
	return je.CreationTimestamp.Time
}

// ExpiresAt returns when a JobError expires under the Job's own retention.
func (p Policy) ExpiresAt(je *joberrorv1.JobError, own string) time.Time {
	return CreatedAt(je).Add(p.For(own))
}

// MovesAt returns when a resolved JobError moves to the archive. It reports false if it does not
// move before it expires.
func (p Policy) MovesAt(je *joberrorv1.JobError, expiresAt time.Time) (at time.Time, moves bool) {
	if p.ResolvedAfter == 0 || !je.Spec.Resolved || je.Status.ResolvedAt == nil {
		return time.Time{}, false
	}
	at = je.Status.ResolvedAt.Add(p.ResolvedAfter)
	return at, at.Before(expiresAt)
}

// RequestExpiresAt returns when a JobErrorResolution or a JobErrorRetry expires.
func (p Policy) RequestExpiresAt(request metav1.Object) time.Time {
	return request.GetCreationTimestamp().Add(p.Default)
}

// Problem returns why a record with this createdAt is refused now, under the Job's own
// retention. It is empty if the record is accepted.
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
		return fmt.Sprintf("is past its retention: the record would have expired at %s; remove it from its source, for example from Git",
			expiresAt.UTC().Format(time.RFC3339))
	default:
		return ""
	}
}
