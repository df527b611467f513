// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestMovesAt(t *testing.T) {
	t.Parallel()
	resolvedAt := time.Date(2026, time.November, 26, 23, 59, 59, 0, time.UTC)
	const week = 7 * 24 * time.Hour
	for _, tc := range []struct {
		name      string
		after     time.Duration
		resolved  bool
		at        *metav1.Time
		expiresIn time.Duration
		want      bool
	}{
		{"off", 0, true, &metav1.Time{Time: resolvedAt}, 2 * week, false},
		{"open", week, false, &metav1.Time{Time: resolvedAt}, 2 * week, false},
		{"resolved, but not observed yet", week, true, nil, 2 * week, false},
		{"resolved", week, true, &metav1.Time{Time: resolvedAt}, 2 * week, true},
		{"expires first", week, true, &metav1.Time{Time: resolvedAt}, week, false},
	} {
		je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: tc.resolved}, Status: joberrorv1.JobErrorStatus{ResolvedAt: tc.at}}
		at, moves := Policy{ResolvedAfter: tc.after}.MovesAt(je, resolvedAt.Add(tc.expiresIn))
		if moves != tc.want || moves && !at.Equal(resolvedAt.Add(tc.after)) {
			t.Errorf("%s: MovesAt = %s, %t, want %t", tc.name, at, moves, tc.want)
		}
	}
}
