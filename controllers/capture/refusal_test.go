// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/templates"
)

// denied returns the answer of a policy that chose a code.
func denied(code int32, reason metav1.StatusReason) error {
	err := forbidden("ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no")
	err.ErrStatus.Code, err.ErrStatus.Reason = code, reason
	return fmt.Errorf("create JobError: %w", err)
}

func TestRefusalOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err    error
		reason string
		final  bool
	}{
		"the namespace is going": {namespaceEnding(), "", true},
		"a quota":                {forbidden("exceeded quota: few, requested: 1, used: 1, limited: 1"), "QuotaExceeded", false},
		"a policy":               {denied(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid), "DeniedByPolicy", false},
		"a policy with a reason": {denied(http.StatusRequestEntityTooLarge, metav1.StatusReasonRequestEntityTooLarge), "DeniedByPolicy", false},
		"a webhook":              {forbidden(`admission webhook "w" denied the request: no`), "DeniedByPolicy", false},
		"the schema":             {invalid(), "Invalid", true},
		"a missing right":        {forbidden("User cannot create"), "Forbidden", false},
	} {
		if got, ok := refusalOf(tc.err); !ok || got.reason != tc.reason || got.final != tc.final {
			t.Errorf("%s: refusalOf = %q, %t, want %q; final %t", name, got.reason, ok, tc.reason, tc.final)
		}
	}
	for name, err := range map[string]error{
		"success": nil, "a timeout": apierrors.NewTimeoutError("busy", 1), "another error": errors.New("no route to host"),
		"a busy webhook": denied(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests),
		"a failed call":  apierrors.NewInternalError(errors.New("failed calling webhook")),
	} {
		if got, refused := refusalOf(err); refused {
			t.Errorf("%s is the refusal %q", name, got.reason)
		}
	}
}

// team is a namespace with failed Jobs that refuses what its answer says.
type team struct {
	*Reconciler
	clock  *testingclock.FakePassiveClock
	server *joberrorstest.Server
	answer *apierrors.StatusError
}

// newTeam returns a namespace with failed Jobs of these names.
func newTeam(t *testing.T, names ...string) *team {
	t.Helper()
	r := newReconciler(now, failure.Failure{Key: "x", Occurrence: "1", At: now})
	r.pending = newPending(grace)
	clock := testingclock.NewFakePassiveClock(now)
	s := &team{Reconciler: r, clock: clock, answer: forbidden("exceeded quota: few")}
	s.server = &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError { return s.answer }}
	objects := []client.Object{teamNamespace()}
	for _, name := range names {
		objects = append(objects, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID(name)}})
		r.pending.add(types.NamespacedName{Namespace: "team", Name: name}, types.UID(name), failed("exit", "1", now), now)
	}
	r.Clock, r.backoff = clock, newBackoff(clock)
	cache := jobreftest.Cache(t, interceptor.Funcs{}, objects...)
	r.Cached, r.Writer, r.Templates = cache, s.server.Writer(t), templates.NewStore(cache, cache, clock)
	return s
}

func (s *team) reconcileJob(t *testing.T, name string) time.Duration {
	t.Helper()
	result, err := s.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "team", Name: name}})
	if err != nil {
		t.Fatal(err)
	}
	return result.RequeueAfter
}

func TestNamespaceBacksOffAsAWhole(t *testing.T) {
	t.Parallel()
	s := newTeam(t, "a", "b")
	for _, name := range []string{"a", "b", "a"} {
		if wait := s.reconcileJob(t, name); wait != minRefusalDelay {
			t.Errorf("%s waits for %s, want %s", name, wait, minRefusalDelay)
		}
	}
	if got := len(s.server.Requests()); got != 1 {
		t.Errorf("%d requests were sent, want 1", got)
	}
	recorder := s.Recorder.(*events.FakeRecorder)
	if event := <-recorder.Events; !strings.HasPrefix(event, "Warning RecordRefused ") || !strings.Contains(event, "exceeded quota: few") || len(recorder.Events) > 0 {
		t.Errorf("Event = %q, and %d more", event, len(recorder.Events))
	}
	s.clock.SetTime(now.Add(minRefusalDelay))
	s.answer = nil
	for _, name := range []string{"b", "a"} {
		if wait := s.reconcileJob(t, name); wait != 0 {
			t.Errorf("%s waits for %s after the quota was raised", name, wait)
		}
	}
	if s.pending.size != 0 || len(s.server.Requests()) != 3 {
		t.Errorf("%d are pending after %d requests, want none after 3", s.pending.size, len(s.server.Requests()))
	}
}

func TestRefusedFailureIsDroppedAfterAnHour(t *testing.T) {
	t.Parallel()
	s := newTeam(t, "a", "b")
	for _, after := range []time.Duration{0, time.Minute, refusalPatience - time.Second, refusalPatience, refusalPatience + time.Minute} {
		s.clock.SetTime(now.Add(after))
		// b never gets to try, and waits just as long.
		s.reconcileJob(t, "a")
		s.reconcileJob(t, "b")
		if want := map[bool]int{true: 2}[after < refusalPatience]; s.pending.size != want {
			t.Errorf("after %s, %d are pending, want %d", after, s.pending.size, want)
		}
	}
	s.pending.add(types.NamespacedName{Namespace: "team", Name: "a"}, "a", failed("exit", "1", now), now)
	if s.pending.size != 0 {
		t.Error("a dropped failure is pending again")
	}
}

// A policy refuses one of two failures of a Job.
func TestRefusedFailureDoesNotHoldUpAnother(t *testing.T) {
	t.Parallel()
	s := newTeam(t, "a")
	s.pending.add(types.NamespacedName{Namespace: "team", Name: "a"}, "a", failed("other", "1", now), now)
	s.reconcileJob(t, "a")
	s.clock.SetTime(now.Add(minRefusalDelay))
	s.answer = nil
	due, _ := s.pending.due(types.NamespacedName{Namespace: "team", Name: "a"}, s.clock.Now())
	groups, err := s.group(t.Context(), subject{Job: &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "a", UID: "a"}}}, due["a"])
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, g := range groups {
		keys = append(keys, g.members[0].as.Key)
	}
	if want := []string{"other", "exit"}; !slices.Equal(keys, want) {
		t.Errorf("the groups are %v, want %v: what was refused comes last", keys, want)
	}
}
