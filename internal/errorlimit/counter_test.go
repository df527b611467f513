// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package errorlimit

import (
	"slices"
	"testing"

	toolscache "k8s.io/client-go/tools/cache"
)

var (
	nightly = Scope{"team", CronJob, "nightly"}
	byName  = Scope{"team", Job, "import"}
	byUID   = Scope{"team", Job, "1"}
)

func expectCount(t *testing.T, c *Counter, scope Scope, want int) {
	t.Helper()
	if got := c.Count(scope); got != want {
		t.Errorf("Count(%v) = %d, want %d", scope, got, want)
	}
}

func TestCounterFollowsTheCache(t *testing.T) {
	t.Parallel()
	c := NewCounter(NewLimits())
	c.OnAdd(reported("import"), true)
	c.OnAdd(captured("nightly"), false)
	expectCount(t, c, byName, 1)
	expectCount(t, c, nightly, 1)
	expectCount(t, c, ScopeOf("team"), 2)

	c.OnUpdate(reported("import"), reported("import", linked("1")))
	expectCount(t, c, byName, 0)
	expectCount(t, c, byUID, 1)

	c.OnUpdate(reported("import", linked("1")), reported("import", linked("1"), deleted))
	expectCount(t, c, byUID, 0)
	c.OnDelete(reported("import", linked("1"), deleted))
	c.OnDelete(toolscache.DeletedFinalStateUnknown{Obj: captured("nightly")})
	expectCount(t, c, ScopeOf("team"), 0)
	if len(c.counts) > 0 || len(c.narrowOver) > 0 {
		t.Errorf("counts %v and %v are left, want none", c.counts, c.narrowOver)
	}
}

func TestCounterNotifiesOfScopesOverTheirLimit(t *testing.T) {
	t.Parallel()
	c := NewCounter(Limits{CronJob: 1, Namespace: 2})
	for range 2 {
		c.OnAdd(captured("nightly"), true)
	}
	var over []Scope
	c.Notify(func(scope Scope) { over = append(over, scope) })
	if !slices.Equal(over, []Scope{nightly}) {
		t.Errorf("at first over = %v, want %v", over, nightly)
	}
	c.OnAdd(captured("nightly"), false)
	if want := []Scope{nightly, nightly, ScopeOf("team")}; !slices.Equal(over, want) {
		t.Errorf("after another error, over = %v, want %v", over, want)
	}
	c.OnDelete(captured("nightly"))
	c.OnAdd(reported("import"), false)
	if n := len(over); n != 4 || over[3] != ScopeOf("team") {
		t.Errorf("after an error of another job, over = %v, want only the namespace once more", over)
	}
}

func TestNarrowOver(t *testing.T) {
	t.Parallel()
	c := NewCounter(Limits{CronJob: 1, Namespace: 1})
	c.OnAdd(captured("nightly"), false)
	c.OnAdd(reported("import"), false)
	if c.NarrowOver("team") {
		t.Error("NarrowOver with only the namespace over its limit = true, want false")
	}
	c.OnAdd(captured("nightly"), false)
	if !c.NarrowOver("team") || c.NarrowOver("other") {
		t.Error("NarrowOver with a CronJob over its limit = false, or true for another namespace")
	}
	c.OnDelete(captured("nightly"))
	if c.NarrowOver("team") {
		t.Error("NarrowOver after a deletion = true, want false")
	}
}
