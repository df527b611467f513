// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps the errors that a test expects, and compares them with the errors
// that exist.
package ledger

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Error identifies an error: the Job that failed, and the code of its failure.
type Error struct{ Namespace, Job, Code string }

func (e Error) String() string { return e.Namespace + "/" + e.Job + "/" + e.Code }

// State holds how often an error happened, and whether it is resolved.
type State struct {
	Occurrences int
	Resolved    bool
}

func (s State) String() string {
	return fmt.Sprintf("%d occurrences, resolved: %t", s.Occurrences, s.Resolved)
}

// Found is an error that exists.
type Found struct {
	Error
	State
}

// Ledger holds the expected errors. Several goroutines may use it at the same time.
type Ledger struct {
	mu       sync.Mutex
	expected map[Error]State
}

// New returns an empty ledger.
func New() *Ledger { return &Ledger{expected: map[Error]State{}} }

// Happened adds occurrences of an error, which opens the error again if it was resolved. An
// error that was created without an occurrence has 0.
func (l *Ledger) Happened(e Error, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expected[e] = State{Occurrences: l.expected[e].Occurrences + times}
}

// SetResolved resolves or reopens errors. It ignores errors that the ledger does not have.
func (l *Ledger) SetResolved(resolved bool, errors ...Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range errors {
		if state, known := l.expected[e]; known {
			state.Resolved = resolved
			l.expected[e] = state
		}
	}
}

// Deleted removes an error that was deleted.
func (l *Ledger) Deleted(e Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.expected, e)
}

// DeletedNamespace removes the errors of a namespace that was deleted.
func (l *Ledger) DeletedNamespace(namespace string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.expected, func(e Error, _ State) bool { return e.Namespace == namespace })
}

// Len returns the number of expected errors.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.expected)
}

// Problems returns the differences between the expected errors and those that exist, sorted.
func (l *Ledger) Problems(found []Found) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var problems []string
	seen := map[Error]bool{}
	for _, f := range found {
		want, expected := l.expected[f.Error]
		switch {
		case !expected:
			problems = append(problems, fmt.Sprintf("%s: found, but not expected", f.Error))
		case seen[f.Error]:
			problems = append(problems, fmt.Sprintf("%s: found more than once", f.Error))
		case f.State != want:
			problems = append(problems, fmt.Sprintf("%s: %s; want %s", f.Error, f.State, want))
		}
		seen[f.Error] = true
	}
	for e := range l.expected {
		if !seen[e] {
			problems = append(problems, fmt.Sprintf("%s: missing", e))
		}
	}
	slices.Sort(problems)
	return problems
}
