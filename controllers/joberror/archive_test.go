// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/joberrors/joberrorstest"
)

// failing is a store that can't be written.
type failing struct{}

func (failing) Write(context.Context, types.UID, []archive.Entry) ([]archive.Entry, error) {
	return nil, errors.New("no route to the store")
}

// deletions records the resource versions that are deleted.
func deletions(versions *[]string) interceptor.Funcs {
	return interceptor.Funcs{Delete: func(_ context.Context, _ client.WithWatch, _ client.Object, opts ...client.DeleteOption) error {
		options := (&client.DeleteOptions{}).ApplyOptions(opts)
		*versions = append(*versions, *options.Preconditions.ResourceVersion)
		return nil
	}}
}

// archiving gives a reconciler an archive, and returns its archiver.
func archiving(r *Reconciler) *archiver.Archiver {
	a := archiver.New(archiver.Options{Interval: time.Second, Backlog: 1}, failing{})
	a.Cached, a.APIReader, a.Clock, a.Recorder, a.Object = r.Cached, r.APIReader, r.Clock, events.NewFakeRecorder(10), &corev1.Namespace{}
	r.Archive = a
	return a
}

func TestAnExpiredErrorWaitsForTheArchive(t *testing.T) {
	t.Parallel()
	var versions []string
	server := &joberrorstest.Server{}
	je := created(31 * day)
	r := newReconciler(t, deletions(&versions), server, je)
	a := archiving(r)
	// The version without a status is not archived, because it changes at once.
	for _, want := range []archiver.State{archiver.Unknown, archiver.Waiting} {
		got, err := r.Reconcile(t.Context(), je)
		if err != nil || got.RequeueAfter != archiveRecheck || len(versions) > 0 {
			t.Errorf("Reconcile = %v, %v after %v deletions, want to wait", got, err, versions)
		}
		if state := a.State(je); state != want {
			t.Errorf("the error is %q in the archive's queue, want %q", state, want)
		}
	}
	if want := []string{"PATCH /namespaces/team/joberrors/e1/status"}; !slices.Equal(server.Requests(), want) {
		t.Errorf("requests = %v, want %v", server.Requests(), want)
	}
}

func TestAResolvedErrorMovesEarly(t *testing.T) {
	t.Parallel()
	var versions []string
	je := created(day)
	je.Spec.Resolved = true
	r := newReconciler(t, deletions(&versions), &joberrorstest.Server{}, je)
	a := archiving(r)
	r.Retention.ResolvedAfter = 7 * day
	got, err := r.Reconcile(t.Context(), je)
	if want := now.Add(7 * day).Add(time.Second - 1).Truncate(time.Second); err != nil || !je.Status.ExpiresAt.Time.Equal(want) || got.RequeueAfter == 0 {
		t.Errorf("Reconcile = %v, %v; the error expires at %s, want %s", got, err, je.Status.ExpiresAt, want)
	}
	r.Clock = testingclock.NewFakePassiveClock(now.Add(7 * day))
	if _, err := r.Reconcile(t.Context(), je); err != nil || a.State(je) != archiver.Waiting {
		t.Errorf("a week later, the error is %q: %v", a.State(je), err)
	}
	// Somebody reopens it.
	je.Spec.Resolved = false
	if _, err := r.Reconcile(t.Context(), je); err != nil || a.State(je) != archiver.Unknown {
		t.Errorf("after it was reopened, the error is %q: %v", a.State(je), err)
	}
	if je.Status.ExpiresAt.Time.Before(now.Add(28 * day)) {
		t.Errorf("after it was reopened, the error expires at %s", je.Status.ExpiresAt)
	}
}
