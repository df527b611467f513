// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
)

func fullJobError() *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "e1", UID: "1", ResourceVersion: "7", Generation: 2,
			Labels:          map[string]string{joberrorv1.LabelJobName: "nightly", "app.kubernetes.io/instance": "imports"},
			Annotations:     map[string]string{joberrorv1.AnnotationResolvedBy: "alice", corev1.LastAppliedConfigAnnotation: "{}", "example.com/notes": "long"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "nightly", UID: "j"}},
			ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
		Spec: joberrorv1.JobErrorSpec{
			UserID: "alice", JobID: "nightly", CreatedAt: "2026-11-22T10:00:00Z", Resolved: true, Code: "E1", Message: "no number",
			Extract: "a", Generate: "b", Extracted: "c", Generated: "d", Source: "warehouse",
		},
		Status: joberrorv1.JobErrorStatus{
			ResolvedBy: "alice", ObservedGeneration: 2, Job: &joberrorv1.JobReference{Name: "nightly", UID: "j"},
			Conditions: []metav1.Condition{{Type: joberrorv1.ConditionLinked, Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonJobFound, Message: "Job nightly exists"}},
		},
	}
}

func strip[T any](t *testing.T, transform func(any) (any, error), obj T) T {
	t.Helper()
	stripped, err := transform(obj)
	if err != nil {
		t.Fatal(err)
	}
	return stripped.(T)
}

func TestStripJobErrorKeepsTheFieldsThatAreRead(t *testing.T) {
	t.Parallel()
	want := fullJobError()
	want.ManagedFields = nil
	want.Labels = map[string]string{joberrorv1.LabelJobName: "nightly"}
	want.Annotations = map[string]string{joberrorv1.AnnotationResolvedBy: "alice"}
	want.Spec.UserID, want.Spec.Source = "", ""
	want.Spec.Extract, want.Spec.Generate, want.Spec.Extracted, want.Spec.Generated = "", "", "", ""
	got := strip(t, new(stripper).stripJobError, fullJobError())
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stripped = %+v, want %+v", got, want)
	}
	if again := strip(t, new(stripper).stripJobError, got.DeepCopy()); !reflect.DeepEqual(again, want) {
		t.Errorf("stripped twice = %+v, want %+v", again, want)
	}
}

func TestAMarkThatTheStatusCountsIsDropped(t *testing.T) {
	t.Parallel()
	const mark = "1762337700.4n0q1r2s3t"
	for name, counted := range map[string][]string{"counted": {mark}, "not counted": nil} {
		je := fullJobError()
		je.Annotations[joberrorv1.AnnotationOccurrence], je.Status.RecentOccurrences = mark, counted
		_, kept := strip(t, new(stripper).stripJobError, je).Annotations[joberrorv1.AnnotationOccurrence]
		if kept == (counted != nil) {
			t.Errorf("%s: the mark is kept: %t", name, kept)
		}
	}
}

func TestLongTextIsTruncated(t *testing.T) {
	t.Parallel()
	je := fullJobError()
	je.Spec.Code, je.Spec.Message = strings.Repeat("c", maxCode+1), strings.Repeat("m", 10*maxMessage)
	got := strip(t, new(stripper).stripJobError, je).Spec
	if len(got.Code) != maxCode || len(got.Message) != maxMessage || !strings.HasSuffix(got.Message, "m…") || !strings.HasSuffix(got.Code, "c…") {
		t.Errorf("code has %d bytes, message has %d bytes, want %d, %d: %q", len(got.Code), len(got.Message), maxCode, maxMessage, got.Message)
	}
}

func TestTransformsPassOnDeletionMarkers(t *testing.T) {
	t.Parallel()
	deleted := toolscache.DeletedFinalStateUnknown{Key: "team/e1"}
	for name, f := range map[string]func(any) (any, error){"stripJob": stripJob, "StripPod": StripPod, "stripJobError": new(stripper).stripJobError,
		"stripNamespace": stripNamespace, "stripResolution": stripResolution} {
		if got := strip(t, f, deleted); got != deleted {
			t.Errorf("%s = %v, want %v", name, got, deleted)
		}
	}
}

func TestErrorsOfOneJobShareTheirOwners(t *testing.T) {
	t.Parallel()
	f := new(stripper).stripJobError
	first, second := strip(t, f, fullJobError()), strip(t, f, fullJobError())
	if unsafe.SliceData(first.OwnerReferences) != unsafe.SliceData(second.OwnerReferences) {
		t.Error("two errors of a job have separate owners, want shared ones")
	}
	other := fullJobError()
	other.OwnerReferences[0].Name, other.Labels = "weekly", map[string]string{joberrorv1.LabelJobName: "weekly"}
	third := strip(t, f, other)
	if third.OwnerReferences[0].Name != "weekly" || third.Labels[joberrorv1.LabelJobName] != "weekly" ||
		first.OwnerReferences[0].Name != "nightly" || first.Labels[joberrorv1.LabelJobName] != "nightly" {
		t.Errorf("an error of another job has owners %v and labels %v", third.OwnerReferences, third.Labels)
	}
}
