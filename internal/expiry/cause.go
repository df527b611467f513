// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Expiry holds when an object expires, and when its status says so.
type Expiry struct {
	At time.Time
	// Recorded is status.expiresAt, rounded up to the second; nil if it is not set yet.
	Recorded *metav1.Time
	// Expected is set if an earlier decision, or one of the object's own, says that the object
	// goes now, and nothing is lost with it.
	Expected bool
}

// Cause says why an expiry is unexpected. It is empty for an ordinary one: at the time that
// the status has said, or soon after.
type Cause string

// Causes of an unexpected expiry.
const (
	// NotRecorded means that the status has not said when the object expires.
	NotRecorded Cause = "NotRecorded"
	// Earlier means that the status says a later time: the retention was shortened.
	Earlier Cause = "EarlierThanRecorded"
	// Overdue means that the time is long past: the operator was down, or a clock jumped.
	Overdue Cause = "Overdue"
)

// maxOverdue is how late an ordinary expiry may be.
const maxOverdue = time.Hour

// causes holds the rules for an unexpected expiry. The first that applies names the cause.
var causes = []struct {
	cause   Cause
	applies func(recorded *metav1.Time, now time.Time) bool
}{
	{NotRecorded, func(recorded *metav1.Time, _ time.Time) bool { return recorded == nil }},
	{Earlier, func(recorded *metav1.Time, now time.Time) bool { return !recorded.Time.Before(now.Add(time.Second)) }},
	{Overdue, func(recorded *metav1.Time, now time.Time) bool { return now.Sub(recorded.Time) >= maxOverdue }},
}

// cause returns why an expiry is unexpected now.
func (e Expiry) cause(now time.Time) Cause {
	if e.Expected {
		return ""
	}
	for _, c := range causes {
		if c.applies(e.Recorded, now) {
			return c.cause
		}
	}
	return ""
}

// tally holds how many objects there are, how many have expired, and how many of these
// unexpectedly.
type tally struct {
	all, expired int
	unexpected   map[Cause]int
}

// add counts an object.
func (t *tally) add(e Expiry, now time.Time) {
	t.all++
	if e.At.After(now) {
		return
	}
	t.expired++
	if cause := e.cause(now); cause != "" {
		if t.unexpected == nil {
			t.unexpected = map[Cause]int{}
		}
		t.unexpected[cause]++
	}
}

// unexpectedly returns how many objects have expired unexpectedly.
func (t *tally) unexpectedly() int {
	n := 0
	for _, count := range t.unexpected {
		n += count
	}
	return n
}

// describe says how many objects have expired unexpectedly, and why. It is empty if none has.
func (t *tally) describe() string {
	var list []string
	for cause, n := range t.unexpected {
		list = append(list, fmt.Sprintf("%s %d", cause, n))
	}
	if len(list) == 0 {
		return ""
	}
	slices.Sort(list)
	return fmt.Sprintf(", %d of them unexpectedly (%s)", t.unexpectedly(), strings.Join(list, ", "))
}
