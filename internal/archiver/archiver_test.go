// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
)

// memory is a store in memory. It fails with err after it has written the first records.
type memory struct {
	err   error
	first int
	calls int
	// versions holds what was written, as uid/resourceVersion of a namespace.
	versions []string
}

func (m *memory) Write(_ context.Context, cluster types.UID, entries []archive.Entry) ([]archive.Entry, error) {
	m.calls++
	if m.err != nil {
		entries = entries[:min(m.first, len(entries))]
	}
	for _, e := range entries {
		m.versions = append(m.versions, fmt.Sprintf("%s/%s/%s/%s", cluster, e.NamespaceUID, e.Error.UID, e.Error.ResourceVersion))
	}
	return entries, m.err
}

// world is an archiver with a clock, a store and the objects of an API server.
type world struct {
	*Archiver
	store *memory
	clock *clocktesting.FakePassiveClock
	api   client.Client
}

func namespace(name, uid string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(uid)}}
}

func record(n int) *joberrorv1.JobError {
	return &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprint(n), UID: types.UID(fmt.Sprint(n)), ResourceVersion: "1"}}
}

func newWorld(t *testing.T, backlog int, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), joberrorv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	objects = append(objects, namespace("kube-system", "cluster"), namespace("team", "team-uid"))
	w := &world{store: &memory{}, clock: clocktesting.NewFakePassiveClock(start), api: fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()}
	w.Archiver = New(Options{Interval: interval, Backlog: backlog}, w.store)
	w.Cached, w.APIReader, w.Clock, w.Recorder, w.Object = w.api, w.api, w.clock, events.NewFakeRecorder(10), namespace("kube-system", "")
	return w
}

// after lets time pass and the archiver take a turn.
func (w *world) after(t *testing.T, d time.Duration) {
	t.Helper()
	w.clock.SetTime(w.clock.Now().Add(d))
	w.turn(t.Context())
}

func (w *world) expect(t *testing.T, when string, je *joberrorv1.JobError, want State) {
	t.Helper()
	if got := w.State(je); got != want {
		t.Errorf("%s: %s is %q, want %q", when, je.Name, got, want)
	}
}

func TestARecordIsReleasedInTheVersionThatWasWritten(t *testing.T) {
	t.Parallel()
	same, changed, gone := record(1), record(2), record(3)
	changed.ResourceVersion = "9"
	moved := record(4)
	moved.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: "team", UID: "an-earlier-team"}}
	w := newWorld(t, 0, same, changed, moved)
	inCache := record(2)
	for _, je := range []*joberrorv1.JobError{same, inCache, gone, moved} {
		if got := w.Add(je, start); got != Waiting {
			t.Fatalf("Add returned %q", got)
		}
	}
	w.after(t, interval-1)
	w.expect(t, "too early", same, Waiting)
	w.after(t, 1)
	w.expect(t, "written", same, Written)
	w.expect(t, "the version in the cache is old", inCache, Unknown)
	w.expect(t, "the present version", changed, Written)
	w.expect(t, "gone", gone, Unknown)
	if got := fmt.Sprint(w.store.versions); got != "[cluster/team-uid/1/1 cluster/team-uid/2/9 cluster/an-earlier-team/4/1]" {
		t.Errorf("wrote %s", got)
	}
	if got := uids(w.nextWakes(maxQueued)); got != "[1 2 4]" {
		t.Errorf("woke up %s, want what was written", got)
	}
	w.Forget(same.UID)
	w.expect(t, "forgotten", same, Unknown)
}

func TestAFailureIsAnnouncedAfterAnInterval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, record(1), record(2))
	w.store.err = errors.New("no route to the store")
	w.Add(record(1), start.Add(time.Second))
	w.Add(record(2), start)
	w.after(t, interval)
	if got := w.Problem("1"); got != "" || len(w.nextWakes(maxQueued)) > 0 {
		t.Errorf("announced %q at once", got)
	}
	w.after(t, interval)
	if got := w.Problem("1"); got != w.store.err.Error() {
		t.Errorf("Problem = %q, want the error of the store", got)
	}
	// There is room for one, and the other one expired first.
	w.expect(t, "there is room", record(1), Waiting)
	w.expect(t, "there is no room", record(2), Lost)
	if got := uids(w.nextWakes(maxQueued)); got != "[2 1]" {
		t.Errorf("woke up %s", got)
	}
	w.store.err = nil
	w.after(t, time.Minute)
	w.expect(t, "the store is back", record(1), Written)
	if got := w.Problem("1"); got != "" {
		t.Errorf("Problem = %q after the store is back", got)
	}
}

func TestWhatCanNotBeReadIsNoFailureOfTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, record(1), record(2))
	w.APIReader = fake.NewClientBuilder().Build() // It does not know JobErrors.
	w.Add(record(1), start)
	w.Add(record(2), start)
	for range 10 {
		w.after(t, interval)
	}
	w.expect(t, "the API server can't be read", record(1), Waiting)
	w.expect(t, "the API server can't be read", record(2), Waiting)
	if w.store.calls > 0 {
		t.Errorf("called the store %d times", w.store.calls)
	}
	w.APIReader = w.api
	w.after(t, interval)
	w.expect(t, "the API server is back", record(2), Written)
}

func TestARecordIsArchivedWithItsWholeStatus(t *testing.T) {
	t.Parallel()
	complete, changed := record(1), record(2)
	changed.Generation, changed.Status.ObservedGeneration = 2, 1
	w := newWorld(t, 0, complete, changed)
	w.Add(complete, start)
	w.Add(changed, start)
	w.after(t, interval)
	w.expect(t, "its status is complete", complete, Written)
	w.expect(t, "its status is not", changed, Waiting)
	if got := w.WriteNow(t.Context(), "team", []*joberrorv1.JobError{changed}, 1); len(got.Written) > 0 || got.Failed || got.Err != nil {
		t.Errorf("released %+v before its status is complete", got)
	}
	changed.Status.ObservedGeneration = 2
	if err := w.api.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	w.after(t, time.Second)
	w.expect(t, "its status is complete now", changed, Written)
}

func TestALongErrorOfTheStoreIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, record(1))
	w.store.err = errors.New(strings.Repeat("one object could not be written\n", 1000))
	w.Add(record(1), start)
	w.after(t, interval)
	w.after(t, interval)
	if got := w.Problem("1"); len(got) > maxProblem || !strings.HasPrefix(got, "one object") {
		t.Errorf("Problem has %d bytes, want %d at most: %.100s", len(got), maxProblem, got)
	}
}

// The archive leaves managed fields out, and they can be long.
func TestManagedFieldsDoNotStayInMemory(t *testing.T) {
	t.Parallel()
	je := record(1)
	je.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "somebody"}}
	e, err := newWorld(t, 0).entryOf(t.Context(), je)
	if err != nil || len(e.Error.ManagedFields) > 0 {
		t.Errorf("entryOf = %v, %v; want no managed fields", e, err)
	}
}

func TestWriteNow(t *testing.T) {
	t.Parallel()
	errs := []*joberrorv1.JobError{record(1), record(2), record(3)}
	w := newWorld(t, 4, record(1), record(2))
	expect := func(when string, surplus int, written, lost int, failed bool, calls int) {
		t.Helper()
		got := w.WriteNow(t.Context(), "team", errs, surplus)
		if len(got.Written) != written || len(got.Lost) != lost || got.Failed != failed || got.Err != nil || w.store.calls != calls {
			t.Errorf("%s: released %+v after %d calls, want %d written and %d lost after %d calls", when, got, w.store.calls, written, lost, calls)
		}
	}
	expect("one is gone", 3, 2, 0, false, 1)
	w.store.err = errors.New("down")
	expect("down", 6, 0, 0, true, 2)
	expect("a moment later, the store is left alone", 6, 0, 0, true, 2)
	w.clock.SetTime(start.Add(interval))
	expect("down for an interval, and two above the backlog", 6, 0, 2, true, 3)
	w.clock.SetTime(start.Add(2 * interval))
	w.store.first = 1
	expect("a part is written", 6, 1, 0, true, 4)
}
