// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"testing"
)

var (
	exit = Error{"ns", "job", "ExitCode:3"}
	row  = Error{"ns", "job", "row"}
)

func found(e Error, occurrences int, resolved bool) Found {
	return Found{e, State{occurrences, resolved}}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		history func(*Ledger)
		found   []Found
		want    []string
	}{
		"nothing happened": {},
		"recorded once": {
			history: func(l *Ledger) { l.Happened(exit, 1) },
			found:   []Found{found(exit, 1, false)},
		},
		"missing": {
			history: func(l *Ledger) { l.Happened(exit, 1); l.Happened(row, 1) },
			found:   []Found{found(row, 1, false)},
			want:    []string{"ns/job/ExitCode:3: missing"},
		},
		"never happened": {
			found: []Found{found(exit, 1, false)},
			want:  []string{"ns/job/ExitCode:3: found, but not expected"},
		},
		"recorded twice": {
			history: func(l *Ledger) { l.Happened(exit, 1) },
			found:   []Found{found(exit, 1, false), found(exit, 1, false)},
			want:    []string{"ns/job/ExitCode:3: found more than once"},
		},
		"counted too often": {
			history: func(l *Ledger) { l.Happened(exit, 2); l.Happened(exit, 1) },
			found:   []Found{found(exit, 4, false)},
			want:    []string{"ns/job/ExitCode:3: 4 occurrences, resolved: false; want 3 occurrences, resolved: false"},
		},
		"created without an occurrence": {
			history: func(l *Ledger) { l.Happened(row, 0) },
			found:   []Found{found(row, 0, false)},
		},
		"a resolve is lost": {
			history: func(l *Ledger) { l.Happened(row, 1); l.SetResolved(true, row) },
			found:   []Found{found(row, 1, false)},
			want:    []string{"ns/job/row: 1 occurrences, resolved: false; want 1 occurrences, resolved: true"},
		},
		"reopened by a user": {
			history: func(l *Ledger) { l.Happened(row, 1); l.SetResolved(true, row); l.SetResolved(false, row) },
			found:   []Found{found(row, 1, false)},
		},
		"reopened because it happened again": {
			history: func(l *Ledger) { l.Happened(row, 1); l.SetResolved(true, row); l.Happened(row, 1) },
			found:   []Found{found(row, 2, false)},
		},
		"resolved before it happened": {
			history: func(l *Ledger) { l.SetResolved(true, row) },
		},
		"deleted": {
			history: func(l *Ledger) { l.Happened(exit, 1); l.Happened(row, 1); l.Deleted(row) },
			found:   []Found{found(exit, 1, false)},
		},
		"a deleted error is back": {
			history: func(l *Ledger) { l.Happened(row, 1); l.Deleted(row) },
			found:   []Found{found(row, 1, false)},
			want:    []string{"ns/job/row: found, but not expected"},
		},
		"a namespace is deleted": {
			history: func(l *Ledger) {
				l.Happened(exit, 1)
				l.Happened(Error{"other", "job", "row"}, 1)
				l.DeletedNamespace("ns")
			},
			found: []Found{found(Error{"other", "job", "row"}, 1, false)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := New()
			if tc.history != nil {
				tc.history(l)
			}
			if got := l.Problems(tc.found); !slices.Equal(got, tc.want) {
				t.Errorf("problems = %q, want %q", got, tc.want)
			}
		})
	}
}
