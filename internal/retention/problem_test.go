// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"strings"
	"testing"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestCreatedAtProblem(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.December, 5, 10, 15, 0, 0, time.UTC)
	const days30 = 30 * 24 * time.Hour
	at := func(offset time.Duration) string { return now.Add(offset).Format(time.RFC3339Nano) }
	policy := Policy{Default: days30}

	const ahead, expired, unreadable = "must not be more than 5m0s ahead", "is past its retention", "must be a time in RFC 3339"
	for _, tc := range []struct {
		name, createdAt, own string
		// problem is what the message says; empty where there is none.
		problem string
	}{
		{name: "now is fine", createdAt: at(0)},
		{name: "none is fine: it was filled in, or will be", createdAt: ""},
		{name: "what is no time is refused", createdAt: "yesterday", problem: unreadable},
		{name: "a time without an offset is refused", createdAt: "2026-12-05T10:15:00", problem: unreadable},
		{name: "a date is refused", createdAt: "2026-12-05", problem: unreadable},

		{name: "exactly 5 minutes ahead is fine", createdAt: at(5 * time.Minute)},
		{name: "a second more is refused", createdAt: at(5*time.Minute + time.Second), problem: ahead},
		{name: "a nanosecond more is refused", createdAt: at(5*time.Minute + 1), problem: ahead},
		{name: "5 minutes ahead in another offset is fine", createdAt: "2026-12-05T15:50:00+05:30"},

		{name: "a record that expires exactly now is refused", createdAt: at(-days30), problem: expired},
		{name: "one that expired long ago is refused", createdAt: "2020-01-01T00:00:00Z", problem: expired},
		{name: "one with a second left is fine", createdAt: at(-days30 + time.Second)},
		{name: "one with a nanosecond left is fine", createdAt: at(-days30 + 1)},

		{name: "a Job's shorter retention counts", createdAt: at(-12 * time.Hour), own: "12h", problem: expired},
		{name: "a second left of it is fine", createdAt: at(-12*time.Hour + time.Second), own: "12h"},
		{name: "a Job's longer retention counts", createdAt: at(-days30), own: "52w"},
		{name: "a Job's unreadable retention counts as none", createdAt: at(-days30), own: "soon", problem: expired},
		{name: "one ahead of the clock is refused under a Job's own retention too", createdAt: at(time.Hour), own: "12h", problem: ahead},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: tc.createdAt}}
			got := policy.Problem(je, tc.own, now)
			if (got == "") != (tc.problem == "") || !strings.Contains(got, tc.problem) {
				t.Errorf("problem with %q = %q, want %q", tc.createdAt, got, tc.problem)
			}
		})
	}
}

func TestARefusalTellsTheTimesThatItGoesBy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.December, 5, 12, 15, 0, 0, time.FixedZone("", 2*60*60))
	policy := Policy{Default: 24 * time.Hour}
	for name, tc := range map[string]struct{ createdAt, want string }{
		"the current time, for one that is ahead":      {"2026-12-05T11:00:00Z", "2026-12-05T10:15:00Z"},
		"when it would have expired, for one that has": {"2026-12-01T07:00:00+01:00", "2026-12-02T06:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: tc.createdAt}}
			if got := policy.Problem(je, "", now); !strings.Contains(got, tc.want) {
				t.Errorf("problem = %q, want it to tell %s", got, tc.want)
			}
		})
	}
}
