// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/restore"
)

// restored returns an error that alice resolved at generation 3, as it is after it was
// created again from a backup.
func restored(t *testing.T) *joberrorv1.JobError {
	t.Helper()
	je := created(24 * time.Hour)
	je.Spec.Resolved = true
	attribution.Mark{By: "alice", Generation: 3}.Put(je)
	je.Generation = 3
	je.Status = desiredStatus(je, link{known: &joberrorv1.JobReference{Name: "backup", UID: "gone"}}, expiresAt, earlier)
	if err := restore.KeepJobError(je); err != nil {
		t.Fatal(err)
	}
	je.Status, je.Generation = joberrorv1.JobErrorStatus{}, 1
	return je
}

func TestTakesOverARestoredStatus(t *testing.T) {
	t.Parallel()
	je, server := restored(t), &joberrorstest.Server{}
	r := newReconciler(t, interceptor.Funcs{}, server)
	if _, err := r.Reconcile(t.Context(), je); err != nil {
		t.Fatal(err)
	}
	if je.Status.ResolvedBy != "alice" || !je.Status.ResolvedAt.Time.Equal(earlier) || je.Status.Job.UID != "gone" || je.Status.ObservedGeneration != 1 {
		t.Errorf("status = %+v, want alice's at %s", je.Status, earlier)
	}
	taken := je.Status.DeepCopy()
	if _, err := r.Reconcile(t.Context(), je); err != nil {
		t.Fatal(err)
	}
	if restore.IsRestored(je) || !equality.Semantic.DeepEqual(&je.Status, taken) {
		t.Errorf("annotations = %v, status = %+v, want the annotation removed and nothing else", je.Annotations, je.Status)
	}
	if want := []string{"PATCH /namespaces/team/joberrors/e1/status", "PATCH /namespaces/team/joberrors/e1"}; !slices.Equal(server.Requests(), want) {
		t.Errorf("requests = %v, want %v", server.Requests(), want)
	}
	if n := len(r.Recorder.(*events.FakeRecorder).Events); n != 0 {
		t.Errorf("%d Events about the past, want none", n)
	}
}

func TestLeavesAnErrorToVelero(t *testing.T) {
	t.Parallel()
	je := created(time.Hour)
	je.Labels = map[string]string{"velero.io/restore-name": "r"}
	je.CreationTimestamp = metav1.NewTime(now.Add(-3 * time.Second))
	server := &joberrorstest.Server{}
	got, err := newReconciler(t, interceptor.Funcs{}, server).Reconcile(t.Context(), je)
	if err != nil || got.RequeueAfter != 7*time.Second || len(server.Requests()) > 0 {
		t.Errorf("Reconcile = %v, %v after %v, want a requeue after 7s", got, err, server.Requests())
	}
}
