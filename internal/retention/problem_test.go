// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"strings"
	"testing"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestProblem(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.December, 5, 10, 15, 0, 0, time.UTC)
	const days30 = 30 * 24 * time.Hour
	at := func(offset time.Duration) string { return now.Add(offset).Format(time.RFC3339Nano) }
	policy := Policy{Default: days30}

	const ahead, expired, invalid = "must not be more than 5m0s ahead", "is past its retention", "must be a time in RFC 3339"
	for _, tc := range []struct {
		name, createdAt, own string
		// problem is a part of the message; empty if the record is accepted.
		problem string
	}{
		{name: "now is accepted", createdAt: at(0)},
		{name: "without createdAt, a record is accepted", createdAt: ""},
		{name: "a text that is not a time is refused", createdAt: "yesterday", problem: invalid},
		{name: "a time without an offset is refused", createdAt: "2026-12-05T10:15:00", problem: invalid},
		{name: "a date without a time is refused", createdAt: "2026-12-05", problem: invalid},

		{name: "exactly 5 minutes ahead is accepted", createdAt: at(5 * time.Minute)},
		{name: "5 minutes and a second ahead is refused", createdAt: at(5*time.Minute + time.Second), problem: ahead},
		{name: "5 minutes and a nanosecond ahead is refused", createdAt: at(5*time.Minute + 1), problem: ahead},
		{name: "5 minutes ahead in another offset is accepted", createdAt: "2026-12-05T15:50:00+05:30"},

		{name: "a record that expires now is refused", createdAt: at(-days30), problem: expired},
		{name: "a record that expired long ago is refused", createdAt: "2020-01-01T00:00:00Z", problem: expired},
		{name: "a record with a second left is accepted", createdAt: at(-days30 + time.Second)},
		{name: "a record with a nanosecond left is accepted", createdAt: at(-days30 + 1)},

		{name: "a Job's shorter retention applies", createdAt: at(-12 * time.Hour), own: "12h", problem: expired},
		{name: "a second left of a Job's shorter retention is accepted", createdAt: at(-12*time.Hour + time.Second), own: "12h"},
		{name: "a Job's longer retention applies", createdAt: at(-days30), own: "52w"},
		{name: "a Job's invalid retention counts as none", createdAt: at(-days30), own: "soon", problem: expired},
		{name: "a record ahead of the clock is refused under a Job's own retention too", createdAt: at(time.Hour), own: "12h", problem: ahead},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: tc.createdAt}}
			got := policy.Problem(je, tc.own, now)
			if (got == "") != (tc.problem == "") || !strings.Contains(got, tc.problem) {
				t.Errorf("Problem with %q = %q, want %q", tc.createdAt, got, tc.problem)
			}
		})
	}
}

func TestProblemContainsTheTimeOfItsReason(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.December, 5, 12, 15, 0, 0, time.FixedZone("", 2*60*60))
	policy := Policy{Default: 24 * time.Hour}
	for name, tc := range map[string]struct{ createdAt, want string }{
		"the current time if createdAt is ahead":       {"2026-12-05T11:00:00Z", "2026-12-05T10:15:00Z"},
		"the expiry if the record has expired already": {"2026-12-01T07:00:00+01:00", "2026-12-02T06:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: tc.createdAt}}
			if got := policy.Problem(je, "", now); !strings.Contains(got, tc.want) {
				t.Errorf("Problem = %q, want it to contain %s", got, tc.want)
			}
		})
	}
}
