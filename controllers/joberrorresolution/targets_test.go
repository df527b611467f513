// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/resolution"
)

const errorsPerPage = 3

// pages answers lists of a job's errors in pages, as they were at the first list, until the
// store forgets that version; from then on as they are.
type pages struct {
	// left is how many pages the store still answers from its old version.
	left int
	// forget is called when the store forgets the version.
	forget   func(client.WithWatch)
	snapshot []joberrorv1.JobError
	// listed counts the errors in all answers.
	listed atomic.Int64
}

func (p *pages) list(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	errs, ok := list.(*joberrorv1.JobErrorList)
	if !ok || options.FieldSelector == nil || !strings.Contains(options.FieldSelector.String(), "spec._jobId") {
		return c.List(ctx, list, opts...)
	}
	at, now := options.Continue, strings.HasPrefix(options.Continue, "now-")
	if options.Raw.ResourceVersion != "" || at != "" && !now {
		if p.left == 0 {
			if p.forget != nil {
				p.forget(c)
				p.forget = nil
			}
			return apierrors.NewResourceExpired("compacted")
		}
		p.left--
	} else {
		now = true
	}
	if now || p.snapshot == nil {
		var all joberrorv1.JobErrorList
		if err := c.List(ctx, &all, client.InNamespace(options.Namespace)); err != nil {
			return err
		}
		value, selects := options.FieldSelector.RequiresExactMatch("spec.resolved")
		p.snapshot = slices.DeleteFunc(all.Items, func(je joberrorv1.JobError) bool {
			return selects && strconv.FormatBool(je.Spec.Resolved) != value
		})
	}
	start, _ := strconv.Atoi(strings.TrimPrefix(at, "now-"))
	end := min(start+errorsPerPage, len(p.snapshot))
	errs.Items = slices.Clone(p.snapshot[start:end])
	p.listed.Add(int64(len(errs.Items)))
	if end < len(p.snapshot) {
		errs.Continue = strconv.Itoa(end)
		if now {
			errs.Continue = "now-" + errs.Continue
		}
	}
	return nil
}

// patched returns the names of the errors that were patched, sorted.
func patched(server *joberrorstest.Server) string {
	var names []string
	for _, request := range server.Requests() {
		names = append(names, path.Base(request))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestAllTargetsAreSetPageByPage(t *testing.T) {
	t.Parallel()
	edit := func(t *testing.T, c client.Client, name string, with ...func(*joberrorv1.JobError)) {
		t.Helper()
		je := &joberrorv1.JobError{}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: name}, je); err != nil {
			t.Error(err)
			return
		}
		for _, f := range with {
			f(je)
		}
		je.Generation++
		if err := c.Update(t.Context(), je); err != nil {
			t.Error(err)
		}
	}
	for _, tc := range []struct {
		name string
		// left is how many pages are read before the store forgets the version.
		left int
		// change edits the store when the store forgets the version.
		change                      func(*testing.T, client.WithWatch)
		matched, updated, unchanged int32
		patched                     string
	}{
		{name: "the store remembers", left: 10, matched: 8, updated: 8, patched: "e0 e1 e2 e3 e4 e5 e6 e7"},
		{name: "the store has forgotten", matched: 8, updated: 8, patched: "e0 e1 e2 e3 e4 e5 e6 e7"},
		{name: "the store forgets after a page", left: 1, matched: 8, updated: 8, patched: "e0 e1 e2 e3 e4 e5 e6 e7"},
		{name: "the store forgets before the last page", left: 2, matched: 8, updated: 8, patched: "e0 e1 e2 e3 e4 e5 e6 e7"},
		{name: "what was set before an interruption counts once", left: 1, matched: 8, updated: 8, patched: "e0 e1 e2 e3 e5 e6 e7",
			change: func(t *testing.T, c client.WithWatch) { edit(t, c, "e4", resolved, markedByThis(2)) }},
		{name: "an error that a user resolves counts as unchanged", left: 1, matched: 8, updated: 7, unchanged: 1, patched: "e0 e1 e2 e3 e4 e5 e7",
			change: func(t *testing.T, c client.WithWatch) { edit(t, c, "e6", resolved, markedBy("bob", 2)) }},
		{name: "an error that a user reopens stays open", left: 1, matched: 8, updated: 8, patched: "e0 e1 e2 e3 e4 e5 e6 e7",
			change: func(t *testing.T, c client.WithWatch) {
				edit(t, c, "resolved", func(je *joberrorv1.JobError) { je.Spec.Resolved = false }, markedBy("bob", 3))
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var objects []client.Object
			for i := range 8 {
				je := jobError(1)
				je.Name = fmt.Sprintf("e%d", i)
				objects = append(objects, je)
			}
			done := jobError(2, resolved, observed(2, metav1.ConditionTrue, joberrorv1.ReasonSetByUser, now.Add(-time.Hour)), markedBy("bob", 2))
			done.Name = "resolved"
			lists := &pages{left: tc.left}
			if tc.change != nil {
				lists.forget = func(c client.WithWatch) { tc.change(t, c) }
			}
			var store client.Client
			server := &joberrorstest.Server{Answer: func(request *http.Request) *apierrors.StatusError {
				edit(t, store, path.Base(request.URL.Path), resolved, markedByThis(2))
				return nil
			}}
			r, jer := newReconciler(t, interceptor.Funcs{List: lists.list}, server, append(objects, done)...)
			store, jer.Spec.Errors = r.Cached, nil
			if _, err := r.Reconcile(t.Context(), jer); err != nil {
				t.Fatal(err)
			}
			s := jer.Status
			if !resolution.IsComplete(jer) || s.Matched != tc.matched || s.Updated != tc.updated || s.Unchanged != tc.unchanged || s.Failed != 0 {
				t.Errorf("status = %+v, want %d matched, %d updated, %d unchanged", s, tc.matched, tc.updated, tc.unchanged)
			}
			if got := patched(server); got != tc.patched {
				t.Errorf("patched = %s, want %s", got, tc.patched)
			}
		})
	}
}

// A resolution reads no further than a page ahead of its writes.
func TestTargetsAreStreamed(t *testing.T) {
	t.Parallel()
	const errorCount = 5 * maxTargets
	objects := make([]client.Object, errorCount)
	for i := range objects {
		je := jobError(1)
		je.Name = fmt.Sprintf("e%04d", i)
		objects[i] = je
	}
	lists := &pages{left: errorCount}
	var written atomic.Int64
	server := &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError {
		// One error is being written, and one waits to be sent.
		if ahead := lists.listed.Load() - written.Add(1); ahead > maxTargets+errorsPerPage+1 {
			t.Errorf("%d errors are read ahead, want at most %d", ahead, maxTargets+errorsPerPage+1)
		}
		return nil
	}}
	r, jer := newReconciler(t, interceptor.Funcs{List: lists.list}, server, objects...)
	jer.Spec.Errors = nil
	if _, err := r.Reconcile(t.Context(), jer); err != nil {
		t.Fatal(err)
	}
	if jer.Status.Updated != errorCount || len(jer.Status.Errors) != errorCount {
		t.Errorf("updated = %d, with %d names, want %d", jer.Status.Updated, len(jer.Status.Errors), errorCount)
	}
}

// A second request about all errors of a job waits until the first is done.
func TestASecondResolutionOfAJobWaits(t *testing.T) {
	t.Parallel()
	var r *Reconciler
	var second *joberrorv1.JobErrorResolution
	server := &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError {
		if _, err := r.Reconcile(t.Context(), second); err != nil {
			t.Error(err)
		}
		return nil
	}}
	r, first := newReconciler(t, interceptor.Funcs{List: (&pages{left: 1}).list}, server, jobError(1))
	first.Spec.Errors = nil
	second = first.DeepCopy()
	second.Name, second.UID, second.ResourceVersion = "resolve-x2", "2", ""
	if err := r.Cached.Create(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	made := second.ResourceVersion
	if _, err := r.Reconcile(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if !resolution.IsComplete(first) || first.Status.Updated != 1 || len(server.Requests()) != 1 {
		t.Errorf("first = %+v after %v, want it complete with one write", first.Status, server.Requests())
	}
	if resolution.IsComplete(second) || second.Status.StartedAt != nil || second.Status.SnapshotResourceVersion != made {
		t.Errorf("second = %+v, want it to wait, with the snapshot %s", second.Status, made)
	}
}
