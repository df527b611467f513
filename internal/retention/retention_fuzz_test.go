// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// FuzzRetention looks for an annotation or a time that makes a record expire before it
// happened.
func FuzzRetention(f *testing.F) {
	for _, own := range []string{"", "7d", "12h", "4w", "0s", "-1d", "292y", "1d1d", "9999999999y", "7 d"} {
		for _, at := range []string{"", "2026-11-05T10:15:00.123Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00+23:59"} {
			f.Add(own, at)
		}
	}
	policy := Policy{Default: time.Hour}
	f.Fuzz(func(t *testing.T, own, at string) {
		if d, err := Parse(own); err == nil && d <= 0 {
			t.Fatalf("Parse(%q) = %s, want a positive duration", own, d)
		}
		job := &batchv1.Job{}
		job.Annotations = map[string]string{joberrorv1.AnnotationRetention: own}
		kept := Requested(job)
		if len(kept) > maxText {
			t.Fatalf("Requested has %d bytes, want at most %d", len(kept), maxText)
		}
		if policy.For(kept) != policy.For(own) {
			t.Fatalf("For(%q) = %s, want %s as for %q", kept, policy.For(kept), policy.For(own), own)
		}
		je := &joberrorv1.JobError{}
		je.Spec.CreatedAt = at
		if expires := policy.ExpiresAt(je, own); !expires.After(CreatedAt(je)) {
			t.Fatalf("ExpiresAt = %s, want a time after %s", expires, CreatedAt(je))
		}
	})
}
