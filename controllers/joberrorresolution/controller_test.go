// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/internal/retention"
)

var (
	now       = time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)
	resource  = joberrorv1.GroupVersion.WithResource("joberrors").GroupResource()
	conflict  = apierrors.NewConflict(resource, "e1", errors.New("it has changed"))
	notFound  = apierrors.NewNotFound(resource, "e1")
	forbidden = apierrors.NewForbidden(resource, "e1", errors.New("a policy says no"))
	invalid   = apierrors.NewInvalid(joberrorv1.GroupVersion.WithKind("JobError").GroupKind(), "e1", nil)
	timeout   = apierrors.NewTimeoutError("busy", 1)
)

// newDeleter returns a deleter that holds nothing back.
func newDeleter(t *testing.T, c client.Client) *expiry.Deleter {
	t.Helper()
	guard := expiry.NewGuard(t.Name(), expiry.Options{
		Clock: testingclock.NewFakePassiveClock(now), Ahead: func() time.Duration { return 0 }, AllowMass: true,
		Recorder: events.NewFakeRecorder(10), Object: &coordinationv1.Lease{},
	}, Expiries(jobreftest.Lister[*joberrorv1.JobErrorResolution](c, &joberrorv1.JobErrorResolutionList{}), retention.Policy{Default: 30 * 24 * time.Hour}))
	return expiry.NewDeleter("JobErrorResolution", c, guard)
}

// newReconciler returns a reconciler and a resolution of the error e1.
func newReconciler(t *testing.T, api interceptor.Funcs, server *joberrorstest.Server, objects ...client.Object) (*Reconciler, *joberrorv1.JobErrorResolution) {
	t.Helper()
	jer := &joberrorv1.JobErrorResolution{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "resolve-x1", UID: "1", CreationTimestamp: metav1.NewTime(now)},
		Spec:       joberrorv1.JobErrorResolutionSpec{JobID: "backup", Errors: []string{"e1"}, RequestedBy: "alice"},
	}
	c := jobreftest.Cache(t, api, append(objects, jer)...)
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(jer), jer); err != nil {
		t.Fatal(err)
	}
	return &Reconciler{
		Cached: c, APIReader: c, Writer: server.Writer(t), Expiry: newDeleter(t, c), Recorder: events.NewFakeRecorder(10),
		Clock: testingclock.NewFakePassiveClock(now), Retention: retention.Policy{Default: 30 * 24 * time.Hour}, Concurrency: 1,
		turns: newTurns(),
	}, jer
}

// withoutSnapshots answers reads of old versions as a store that has forgotten them.
var withoutSnapshots = interceptor.Funcs{
	List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		options := (&client.ListOptions{}).ApplyOptions(opts)
		if options.Raw != nil && options.Raw.ResourceVersion != "" {
			return apierrors.NewResourceExpired("compacted")
		}
		return c.List(ctx, list, opts...)
	},
}

// A write that is refused permanently fails one error; anything else is tried again.
func TestFailedWriteOfATarget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answers []*apierrors.StatusError
		reason  string
		updated int32
		err     bool
	}{
		"success":            {answers: []*apierrors.StatusError{nil}, updated: 1},
		"conflict, then not": {answers: []*apierrors.StatusError{conflict, conflict, nil}, updated: 1},
		"forbidden":          {answers: []*apierrors.StatusError{forbidden}, reason: joberrorv1.FailureRejected},
		"invalid":            {answers: []*apierrors.StatusError{invalid}, reason: joberrorv1.FailureRejected},
		"timeout":            {answers: []*apierrors.StatusError{timeout}, err: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			writes := 0
			server := &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError {
				writes++
				return tc.answers[min(writes, len(tc.answers))-1]
			}}
			r, jer := newReconciler(t, withoutSnapshots, server, jobError(1))
			_, err := r.Reconcile(t.Context(), jer)
			if (err != nil) != tc.err {
				t.Fatalf("err = %v", err)
			}
			if tc.err {
				if !strings.HasPrefix(err.Error(), "set JobError e1: ") || resolution.IsComplete(jer) {
					t.Errorf("err = %v, status = %+v, want it to be tried again", err, jer.Status)
				}
				return
			}
			if !resolution.IsComplete(jer) || jer.Status.Updated != tc.updated {
				t.Errorf("status = %+v, want %d updated", jer.Status, tc.updated)
			}
			if tc.reason != "" && (len(jer.Status.Failures) != 1 || jer.Status.Failures[0].Reason != tc.reason ||
				jer.Status.Failures[0].Message != tc.answers[0].Error()) {
				t.Errorf("failures = %+v, want %s with the API server's message", jer.Status.Failures, tc.reason)
			}
		})
	}
}

// Without the store's old version, a named error that was changed after the request is left.
func TestNamedErrorAfterCompaction(t *testing.T) {
	t.Parallel()
	reopened := observed(2, metav1.ConditionTrue, joberrorv1.ReasonSetByUser, now.Add(-time.Hour))
	for name, tc := range map[string]struct {
		edit               func(*joberrorv1.JobError)
		updated, unchanged int32
		failed             int32
	}{
		"an open error is set":                        {edit: func(je *joberrorv1.JobError) { je.Spec.Message = "corrected" }, updated: 1},
		"an error that was reopened since is left":    {edit: func(je *joberrorv1.JobError) { je.Generation = 3; reopened(je) }, unchanged: 1},
		"an error that this resolution set counts":    {edit: func(je *joberrorv1.JobError) { je.Generation = 2; resolved(je); markedByThis(2)(je) }, updated: 1},
		"an error that was reopened after it is left": {edit: func(je *joberrorv1.JobError) { je.Generation = 3; markedByThis(2)(je) }, unchanged: 1},
		"an error that was created later is unknown":  {edit: createdAfter, failed: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := jobError(1)
			r, jer := newReconciler(t, withoutSnapshots, &joberrorstest.Server{}, je)
			if err := r.Cached.Get(t.Context(), client.ObjectKeyFromObject(je), je); err != nil {
				t.Fatal(err)
			}
			tc.edit(je)
			status := *je.Status.DeepCopy()
			if err := r.Cached.Update(t.Context(), je); err != nil {
				t.Fatal(err)
			}
			je.Status = status
			if err := r.Cached.Status().Update(t.Context(), je); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Reconcile(t.Context(), jer); err != nil {
				t.Fatal(err)
			}
			if s := jer.Status; s.Updated != tc.updated || s.Unchanged != tc.unchanged || s.Failed != tc.failed {
				t.Errorf("status = %+v, want %d updated, %d unchanged, %d failed", s, tc.updated, tc.unchanged, tc.failed)
			}
		})
	}
}

// The cache has only the first names of a request.
func TestAllNamesAreReadFromTheAPIServer(t *testing.T) {
	t.Parallel()
	server := &joberrorstest.Server{}
	third := jobError(1)
	third.Name = "e3"
	r, jer := newReconciler(t, withoutSnapshots, server, jobError(1), third)
	stored := jer.DeepCopy()
	stored.Name, stored.Spec.Errors, stored.ResourceVersion = "resolve-x3", []string{"e1", "e2", "e3"}, ""
	if err := r.Cached.Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	cached := stored.DeepCopy()
	cached.Spec.Errors = cached.Spec.Errors[:2]
	if _, err := r.Reconcile(t.Context(), cached); err != nil {
		t.Fatal(err)
	}
	if s := cached.Status; s.Updated != 2 || s.Failed != 1 || !resolution.IsComplete(cached) {
		t.Errorf("status = %+v, want e1 and e3 updated, and e2 failed", s)
	}
}

func TestTargetThatIsGone(t *testing.T) {
	t.Parallel()
	r, jer := newReconciler(t, withoutSnapshots, &joberrorstest.Server{})
	if _, err := r.Reconcile(t.Context(), jer); err != nil {
		t.Fatal(err)
	}
	if !resolution.IsComplete(jer) || len(jer.Status.Failures) != 1 || jer.Status.Failures[0].Reason != joberrorv1.FailureNotFound {
		t.Errorf("status = %+v, want one failure NotFound", jer.Status)
	}
}

func TestFailedStatusPatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer error
		err    bool
	}{
		"conflict": {answer: conflict}, "not found": {answer: notFound},
		"forbidden": {answer: forbidden, err: true}, "timeout": {answer: timeout, err: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := withoutSnapshots
			api.SubResourcePatch = func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
				return tc.answer
			}
			r, jer := newReconciler(t, api, &joberrorstest.Server{}, jobError(1))
			if _, err := r.Reconcile(t.Context(), jer); (err != nil) != tc.err || tc.err && !errors.Is(err, tc.answer) {
				t.Errorf("Reconcile: %v, want %v", err, tc.answer)
			}
		})
	}
}

func TestFailedLookup(t *testing.T) {
	t.Parallel()
	api := interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return timeout }}
	server := &joberrorstest.Server{}
	r, jer := newReconciler(t, api, server)
	if _, err := r.Reconcile(t.Context(), jer); !errors.Is(err, timeout) || !strings.HasPrefix(err.Error(), "look up job backup: ") {
		t.Errorf("Reconcile: %v, want the timeout and what was attempted", err)
	}
	if resolution.IsComplete(jer) || len(server.Requests()) > 0 {
		t.Errorf("status = %+v after %v, want nothing written", jer.Status, server.Requests())
	}
}
