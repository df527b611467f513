// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/jobref/jobreftest"
)

// resolving is a backend whose API server and cache are the same, and in which the test
// completes the resolutions.
type resolving struct {
	*backend
	mu      sync.Mutex
	created []*joberrorv1.JobErrorResolution
	// version is the resource version of the last error.
	version int
}

func newResolving(t *testing.T) *resolving {
	t.Helper()
	r := &resolving{}
	c := jobreftest.Cache(t, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			jer, ok := obj.(*joberrorv1.JobErrorResolution)
			if !ok {
				return c.Create(ctx, obj, opts...)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			jer.Name = fmt.Sprintf("%s%d", jer.GenerateName, len(r.created))
			jer.UID = types.UID(jer.Name)
			err := c.Create(ctx, jer, opts...)
			jer.ResourceVersion = strconv.Itoa(r.version)
			r.created = append(r.created, jer.DeepCopy())
			return err
		},
		List: r.list,
	})
	r.backend = &backend{
		client: c, apiReader: c, summaries: emptySummaries(c), timeout: time.Minute, waiting: newPlaces(waitingPlaces),
		resolutions: &waiter{cache: c, waiting: map[types.UID]*awaited{}},
	}
	return r
}

// list selects objects by fields, as the API server and the cache do.
func (r *resolving) list(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	switch l := list.(type) {
	case *joberrorv1.JobErrorResolutionList:
		key, _ := options.FieldSelector.RequiresExactMatch(indexUnderWay)
		if err := c.List(ctx, l, client.InNamespace(options.Namespace)); err != nil {
			return err
		}
		l.Items = slices.DeleteFunc(l.Items, func(jer joberrorv1.JobErrorResolution) bool {
			return !slices.Contains(underWayKeys(&jer), key)
		})
		r.mu.Lock()
		defer r.mu.Unlock()
		for i := range l.Items {
			for _, jer := range r.created {
				if jer.UID == l.Items[i].UID {
					l.Items[i].ResourceVersion = jer.ResourceVersion
				}
			}
		}
		return nil
	case *joberrorv1.JobErrorList:
		resolved, _ := options.FieldSelector.RequiresExactMatch("spec.resolved")
		if err := c.List(ctx, l, client.InNamespace(options.Namespace)); err != nil {
			return err
		}
		l.Items = slices.DeleteFunc(l.Items, func(je joberrorv1.JobError) bool { return strconv.FormatBool(je.Spec.Resolved) != resolved })
		return nil
	default:
		return c.List(ctx, list, opts...)
	}
}

// report adds an open error to the API server and the cache.
func (r *resolving) report(t *testing.T, name string) { r.add(t, newError(name, "late")) }

// reportResolved adds a resolved error.
func (r *resolving) reportResolved(t *testing.T, name string) {
	r.add(t, newError(name, "late", setResolved))
}

func (r *resolving) add(t *testing.T, je joberrorv1.JobError) {
	t.Helper()
	je.Namespace = "team"
	if err := r.client.Create(t.Context(), &je); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.version++
	je.ResourceVersion = strconv.Itoa(r.version)
	r.mu.Unlock()
	r.summaries.OnAdd(&je, false)
}

// start sends a request about every error of the Job backup, and returns a channel for the
// answer.
func (r *resolving) start(t *testing.T, name, reason string, resolved bool) chan answer {
	t.Helper()
	e := &resolveEndpoint{jobEndpoint: jobEndpoint{backend: r.backend, namespace: "team", id: "backup"}, resolved: resolved}
	ctx := request.WithUser(t.Context(), &user.DefaultInfo{Name: name})
	ref, err := jobref.Lookup(ctx, r.client, "team", "backup")
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan answer, 1)
	go func() {
		jer, complete, err := e.resolveAll(ctx, ref, reason)
		answers <- answer{jer, complete, err}
	}()
	return answers
}

type answer struct {
	jer      *joberrorv1.JobErrorResolution
	complete bool
	err      error
}

// expectWaiting waits until so many requests wait for resolutions, and checks how many
// resolutions there are.
func (r *resolving) expectWaiting(t *testing.T, requests, resolutions int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		r.resolutions.mu.Lock()
		waiting := 0
		for _, of := range r.resolutions.waiting {
			waiting += of.requests
		}
		r.resolutions.mu.Unlock()
		if waiting == requests {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("waiting requests = %d, want %d", waiting, requests)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.created) != resolutions {
		t.Fatalf("resolutions = %d, want %d", len(r.created), resolutions)
	}
}

// complete completes a resolution, without changing errors.
func (r *resolving) complete(t *testing.T, index int) {
	t.Helper()
	r.mu.Lock()
	jer := r.created[index].DeepCopy()
	r.mu.Unlock()
	stored := &joberrorv1.JobErrorResolution{}
	if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(jer), stored); err != nil {
		t.Fatal(err)
	}
	setPreview(stored, nil)
	if err := r.client.Status().Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	r.resolutions.handleChange(stored)
}

// expect checks that an answer is this resolution.
func (a answer) expect(t *testing.T, name string) {
	t.Helper()
	if a.err != nil || !a.complete || a.jer.Name != name {
		t.Errorf("answer = %+v, complete %t, %v, want %s, complete", a.jer, a.complete, a.err, name)
	}
}

func TestEqualRequestsShareAResolution(t *testing.T) {
	t.Parallel()
	r := newResolving(t)
	r.report(t, "e1")
	var answers []chan answer
	for range 20 {
		answers = append(answers, r.start(t, "alice", "fixed", true))
	}
	r.expectWaiting(t, 20, 1)
	answers = append(answers, r.start(t, "alice", "fixed", true))
	r.expectWaiting(t, 21, 1)
	r.complete(t, 0)
	for _, a := range answers {
		(<-a).expect(t, "resolve-0")
	}
}

func TestOtherRequestsGetTheirOwnResolution(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]struct {
		user, reason string
		resolved     bool
	}{
		"another user":        {user: "bob", reason: "fixed", resolved: true},
		"another reason":      {user: "alice", reason: "duplicate", resolved: true},
		"the other direction": {user: "alice", reason: "fixed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newResolving(t)
			r.report(t, "e1")
			r.reportResolved(t, "e2")
			first := r.start(t, "alice", "fixed", true)
			r.expectWaiting(t, 1, 1)
			second := r.start(t, other.user, other.reason, other.resolved)
			r.expectWaiting(t, 2, 2)
			r.complete(t, 0)
			r.complete(t, 1)
			(<-first).expect(t, r.created[0].Name)
			(<-second).expect(t, r.created[1].Name)
			if by := r.created[1].Spec.RequestedBy; by != other.user {
				t.Errorf("requestedBy = %s, want %s", by, other.user)
			}
		})
	}
}

func TestARequestIncludesErrorsReportedSince(t *testing.T) {
	t.Parallel()
	r := newResolving(t)
	r.report(t, "e1")
	first := r.start(t, "alice", "", true)
	r.expectWaiting(t, 1, 1)
	r.report(t, "e2")
	second := r.start(t, "alice", "", true)
	r.expectWaiting(t, 2, 2)
	third := r.start(t, "alice", "", true)
	r.expectWaiting(t, 3, 2)
	r.report(t, "e3")
	// Two are under way: the next one waits until one of them is complete.
	fourth := r.start(t, "alice", "", true)
	r.expectWaiting(t, 4, 2)
	r.complete(t, 0)
	(<-first).expect(t, "resolve-0")
	r.expectWaiting(t, 3, 3)
	r.complete(t, 1)
	r.complete(t, 2)
	(<-second).expect(t, "resolve-1")
	(<-third).expect(t, "resolve-1")
	(<-fourth).expect(t, "resolve-2")
}

// The cache may not have an error yet that this replica has just stored.
func TestARequestIncludesAnErrorThatWasJustStored(t *testing.T) {
	t.Parallel()
	r := newResolving(t)
	r.report(t, "e1")
	r.start(t, "alice", "", true)
	r.expectWaiting(t, 1, 1)
	je := newError("e2", "late")
	je.Namespace, je.ResourceVersion = "team", "2"
	r.summaries.wrote(&je)
	r.start(t, "alice", "", true)
	r.expectWaiting(t, 2, 2)
}

func TestAChangedErrorIsStillIncluded(t *testing.T) {
	t.Parallel()
	r := newResolving(t)
	r.report(t, "e1")
	first := r.start(t, "alice", "", true)
	r.expectWaiting(t, 1, 1)
	before, after := newError("e1", "late"), newError("e1", "later")
	before.Namespace, after.Namespace, after.ResourceVersion = "team", "team", "9"
	r.summaries.OnUpdate(&before, &after)
	second := r.start(t, "alice", "", true)
	r.expectWaiting(t, 2, 1)
	r.complete(t, 0)
	(<-first).expect(t, "resolve-0")
	(<-second).expect(t, "resolve-0")
}

func TestARequestThatFindsNoTurnIsRefused(t *testing.T) {
	t.Parallel()
	r := newResolving(t)
	r.timeout = time.Millisecond
	r.report(t, "e1")
	for i, name := range []string{"alice", "bob"} {
		if a := <-r.start(t, name, "", true); a.err != nil || a.complete || a.jer.Name != fmt.Sprintf("resolve-%d", i) {
			t.Fatalf("answer to %s = %+v, %v, want an incomplete resolution", name, a.jer, a.err)
		}
	}
	a := <-r.start(t, "carol", "", true)
	if status := statusOf(t, a.err); status.Code != http.StatusTooManyRequests || status.Details.RetryAfterSeconds == 0 {
		t.Errorf("status = %+v, want 429 with Retry-After", status)
	}
	if a := <-r.start(t, "alice", "", true); a.err != nil || a.jer.Name != "resolve-0" {
		t.Errorf("answer to the repeated request = %+v, %v, want resolve-0", a.jer, a.err)
	}
}

func TestARequestWithNothingToChangeStoresNothing(t *testing.T) {
	t.Parallel()
	r := newResolving(t)
	r.reportResolved(t, "e1")
	(<-r.start(t, "alice", "", true)).expect(t, "")
	r.expectWaiting(t, 0, 0)
}
