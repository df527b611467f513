// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package errorlimit

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/informers"
)

// Counter counts the JobErrors of each scope as the cache changes, because listing them
// for each new one would cost much more. Every replica counts.
type Counter struct {
	limits Limits

	mu     sync.Mutex
	counts map[Scope]int
	// narrowOver holds how many CronJobs and Jobs of a namespace are over their limit.
	narrowOver map[string]int
	notify     func(Scope)
}

// NewCounter returns a Counter that no cache feeds.
func NewCounter(limits Limits) *Counter {
	return &Counter{limits: limits, counts: map[Scope]int{}, narrowOver: map[string]int{}, notify: func(Scope) {}}
}

// WatchCache makes the Counter count the JobErrors of a cache. It must be called before
// the cache starts.
func (c *Counter) WatchCache(ctx context.Context, jobErrors cache.Cache) error {
	if _, err := informers.Handle(ctx, jobErrors, &joberrorv1.JobError{}, c); err != nil {
		return fmt.Errorf("count JobErrors: %w", err)
	}
	return nil
}

// Limits returns the limits.
func (c *Counter) Limits() Limits { return c.limits }

// Count returns how many JobErrors a scope has.
func (c *Counter) Count(scope Scope) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[scope]
}

// NarrowOver reports whether a CronJob or a Job of a namespace is over its limit.
func (c *Counter) NarrowOver(namespace string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.narrowOver[namespace] > 0
}

// Notify calls a function for each scope that is over its limit now, and whenever an error
// is added to such a scope later.
func (c *Counter) Notify(notify func(Scope)) {
	c.mu.Lock()
	c.notify = notify
	var over []Scope
	for scope, count := range c.counts {
		if c.limits.exceeds(scope.Kind, count) {
			over = append(over, scope)
		}
	}
	c.mu.Unlock()
	for _, scope := range over {
		notify(scope)
	}
}

// OnAdd counts a JobError that is new in the cache.
func (c *Counter) OnAdd(obj any, _ bool) { c.add(scopesOf(obj), 1) }

// OnUpdate counts the new state of a JobError in place of the old one.
func (c *Counter) OnUpdate(before, after any) {
	was, is := scopesOf(before), scopesOf(after)
	if slices.Equal(was, is) {
		return
	}
	c.add(is, 1)
	c.add(was, -1)
}

// OnDelete stops counting a JobError that was deleted.
func (c *Counter) OnDelete(obj any) {
	if je, ok := informers.Deleted[*joberrorv1.JobError](obj); ok {
		c.add(ScopesOf(je), -1)
	}
}

func scopesOf(obj any) []Scope {
	je, ok := obj.(*joberrorv1.JobError)
	if !ok {
		return nil
	}
	return ScopesOf(je)
}

// add adds n to the counts of some scopes, and notifies of those over their limit if n is
// positive.
func (c *Counter) add(scopes []Scope, n int) {
	c.mu.Lock()
	notify := c.notify
	var over []Scope
	for _, scope := range scopes {
		before, after := c.counts[scope], c.counts[scope]+n
		c.counts[scope] = after
		if after == 0 {
			delete(c.counts, scope)
		}
		c.moveOver(scope, c.limits.exceeds(scope.Kind, before), c.limits.exceeds(scope.Kind, after))
		if n > 0 && c.limits.exceeds(scope.Kind, after) {
			over = append(over, scope)
		}
	}
	c.mu.Unlock()
	// The function may wait for a queue.
	for _, scope := range over {
		notify(scope)
	}
}

// moveOver keeps narrowOver up to date.
func (c *Counter) moveOver(scope Scope, before, after bool) {
	if scope.Kind == Namespace || before == after {
		return
	}
	if after {
		c.narrowOver[scope.Namespace]++
		return
	}
	if c.narrowOver[scope.Namespace]--; c.narrowOver[scope.Namespace] == 0 {
		delete(c.narrowOver, scope.Namespace)
	}
}
