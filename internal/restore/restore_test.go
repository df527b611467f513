// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

var (
	now   = time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)
	later = metav1.NewTime(now.Add(30 * 24 * time.Hour))
	then  = metav1.NewTime(now.Add(-time.Hour))
)

// resolvedStatus returns the status of an error that alice resolved, at generation 3.
func resolvedStatus() joberrorv1.JobErrorStatus {
	return joberrorv1.JobErrorStatus{
		RetryID: "2026-11-05T09:15:00.000000Z", ExpiresAt: &later, ResolvedAt: &then, ResolvedBy: "alice", Occurrences: 3,
		Job: &joberrorv1.JobReference{Name: "job", UID: "1"}, ObservedGeneration: 3,
	}
}

// recreated returns the error as the API server stores it: without a status, and with
// generation 1.
func recreated(je *joberrorv1.JobError) *joberrorv1.JobError {
	je = je.DeepCopy()
	je.Status, je.Generation = joberrorv1.JobErrorStatus{}, 1
	return je
}

func TestJobErrorKeepsItsStatus(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Status: resolvedStatus()}
	attribution.Mark{By: "alice", Generation: 3, Resolution: attribution.Resolution{Name: "r", UID: "1"}}.Put(je)
	if err := KeepJobError(je); err != nil {
		t.Fatal(err)
	}
	stored := recreated(je)
	if !TakeOver(stored) {
		t.Fatal("TakeOver = false, want true")
	}
	want := resolvedStatus()
	want.ObservedGeneration = 1
	if !equality.Semantic.DeepEqual(stored.Status, want) {
		t.Errorf("status = %+v, want %+v", stored.Status, want)
	}
	mark := attribution.MarkOf(stored)
	if mark.By != "alice" || mark.Generation != 1 || mark.Resolution.Name != "r" || mark.Fresh(1, 2) {
		t.Errorf("mark = %+v, want alice's, for generation 1", mark)
	}
	if TakeOver(stored) {
		t.Error("TakeOver of a taken over status = true, want false")
	}
	Finish(stored)
	if IsRestored(stored) || attribution.MarkOf(stored) != mark {
		t.Errorf("annotations = %v, want only the mark", stored.Annotations)
	}
}

func TestTakeOver(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		annotation string
		status     joberrorv1.JobErrorStatus
		want       bool
		generation int64
	}{
		{name: "no annotation"},
		{name: "not JSON", annotation: "{"},
		{name: "JSON that is not a status", annotation: "{}"},
		{name: "a status", annotation: `{"expiresAt":"2026-12-05T10:15:00Z","observedGeneration":3}`, want: true, generation: 1},
		{name: "the object has a status", annotation: `{"expiresAt":"2026-12-05T10:15:00Z"}`, status: joberrorv1.JobErrorStatus{ExpiresAt: &later, ObservedGeneration: 2}, generation: 2},
		{name: "a tool has restored the status", status: resolvedStatus(), generation: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{Status: tc.status}
			je.Generation = 2
			if tc.annotation != "" {
				je.Annotations = map[string]string{joberrorv1.AnnotationRestoredStatus: tc.annotation}
			}
			if got := TakeOver(je); got != tc.want || je.Status.ObservedGeneration != tc.generation {
				t.Errorf("TakeOver = %t with observed generation %d, want %t with %d", got, je.Status.ObservedGeneration, tc.want, tc.generation)
			}
		})
	}
}

func TestKeepJobErrorWithoutAStatus(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{}
	if err := KeepJobError(je); err != nil || je.Annotations != nil {
		t.Errorf("annotations = %v, %v, want none", je.Annotations, err)
	}
}

func TestResolutionKeepsItsStatus(t *testing.T) {
	t.Parallel()
	status := joberrorv1.JobErrorResolutionStatus{Matched: 2, Updated: 2, Errors: []string{"a", "b"}, StartedAt: &then, CompletedAt: &then}
	for name, want := range map[string]joberrorv1.JobErrorResolutionStatus{"complete": status, "without a status": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jer := &joberrorv1.JobErrorResolution{Status: want}
			if err := KeepResolution(jer); err != nil || !IsRestored(jer) {
				t.Fatalf("IsRestored = %t, %v, want true", IsRestored(jer), err)
			}
			jer.Status = joberrorv1.JobErrorResolutionStatus{}
			if got := ResolutionStatus(jer); !equality.Semantic.DeepEqual(got, want) {
				t.Errorf("status = %+v, want %+v", got, want)
			}
			jer.Status.StartedAt = &later
			if got := ResolutionStatus(jer); !reflect.DeepEqual(got, jer.Status) {
				t.Errorf("status = %+v, want the object's own", got)
			}
		})
	}
}

func TestRetryKeepsItsStatus(t *testing.T) {
	t.Parallel()
	status := joberrorv1.JobErrorRetryStatus{Attempt: 2, Conditions: []metav1.Condition{{Type: joberrorv1.ConditionComplete}}}
	jet := &joberrorv1.JobErrorRetry{Status: status}
	if err := KeepRetry(jet); err != nil || !IsRestored(jet) {
		t.Fatalf("IsRestored = %t, %v, want true", IsRestored(jet), err)
	}
	jet.Status = joberrorv1.JobErrorRetryStatus{}
	if err := KeepRetry(jet); err != nil {
		t.Fatal(err)
	}
	if got := RetryStatus(jet); !equality.Semantic.DeepEqual(got, status) {
		t.Errorf("status = %+v, want %+v", got, status)
	}
	jet.Annotations[joberrorv1.AnnotationRestoredStatus] = "{"
	if got := RetryStatus(jet); !equality.Semantic.DeepEqual(got, joberrorv1.JobErrorRetryStatus{}) {
		t.Errorf("status = %+v, want none of an annotation that is no status", got)
	}
}

func TestResolutionWithoutAStatusKeepsItsAnnotation(t *testing.T) {
	t.Parallel()
	const before = `{"matched":2}`
	jer := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{joberrorv1.AnnotationRestoredStatus: before}}}
	if err := KeepResolution(jer); err != nil || jer.Annotations[joberrorv1.AnnotationRestoredStatus] != before {
		t.Errorf("annotations = %v, %v, want the earlier status", jer.Annotations, err)
	}
}

func TestAnnotationHoldsAsManyNamesAsFit(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{Status: joberrorv1.JobErrorResolutionStatus{StartedAt: &then, Matched: 1000}}
	for i := range 1000 {
		jer.Status.Errors = append(jer.Status.Errors, fmt.Sprintf("%s-%04d", strings.Repeat("e", 248), i))
	}
	if err := KeepResolution(jer); err != nil {
		t.Fatal(err)
	}
	annotation := jer.Annotations[joberrorv1.AnnotationRestoredStatus]
	jer.Status = joberrorv1.JobErrorResolutionStatus{}
	got := ResolutionStatus(jer)
	if len(annotation) > maxStatus || len(got.Errors) != 500 || !got.Truncated || got.Matched != 1000 {
		t.Errorf("%d bytes with %d names, truncated = %t, want at most %d bytes with 500 names", len(annotation), len(got.Errors), got.Truncated, maxStatus)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	velero := map[string]string{veleroLabel: "r1"}
	for _, tc := range []struct {
		name      string
		labels    map[string]string
		hasStatus bool
		age       time.Duration
		want      time.Duration
	}{
		{name: "another object", labels: map[string]string{"team": "data"}},
		{name: "Velero has just created it", labels: velero, age: 3 * time.Second, want: 7 * time.Second},
		{name: "Velero has written the status", labels: velero, age: 3 * time.Second, hasStatus: true},
		{name: "Velero writes no status", labels: velero, age: 10 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			obj := &metav1.ObjectMeta{Labels: tc.labels, CreationTimestamp: metav1.NewTime(now.Add(-tc.age))}
			if got := Wait(obj, tc.hasStatus, now); got != tc.want {
				t.Errorf("Wait = %s, want %s", got, tc.want)
			}
		})
	}
}
