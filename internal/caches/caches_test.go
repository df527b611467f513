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

func reported() *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "e1", UID: "1", ResourceVersion: "7", Generation: 2,
			Labels:          map[string]string{joberrorv1.LabelJobName: "nightly"},
			Annotations:     map[string]string{joberrorv1.AnnotationResolvedBy: "alice", corev1.LastAppliedConfigAnnotation: "{}"},
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

func strip[T any](t *testing.T, f func(any) (any, error), obj T) T {
	t.Helper()
	stripped, err := f(obj)
	if err != nil {
		t.Fatal(err)
	}
	return stripped.(T)
}

func TestOfAnErrorStaysWhatIsReconciledAndSummedUp(t *testing.T) {
	t.Parallel()
	want := reported()
	want.ManagedFields = nil
	delete(want.Annotations, corev1.LastAppliedConfigAnnotation)
	want.Spec.UserID, want.Spec.Source = "", ""
	want.Spec.Extract, want.Spec.Generate, want.Spec.Extracted, want.Spec.Generated = "", "", "", ""
	got := strip(t, new(stripper).stripJobError, reported())
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it holds %+v, want %+v", got, want)
	}
	if again := strip(t, new(stripper).stripJobError, got.DeepCopy()); !reflect.DeepEqual(again, want) {
		t.Errorf("the second time it holds %+v, want %+v", again, want)
	}
}

func TestLongTextIsCutWithAMark(t *testing.T) {
	t.Parallel()
	je := reported()
	je.Spec.Code, je.Spec.Message = strings.Repeat("c", keptCode+1), strings.Repeat("m", 10*keptMessage)
	got := strip(t, new(stripper).stripJobError, je).Spec
	if len(got.Code) != keptCode || len(got.Message) != keptMessage || !strings.HasSuffix(got.Message, "m…") || !strings.HasSuffix(got.Code, "c…") {
		t.Errorf("code of %d bytes, message of %d bytes: %q", len(got.Code), len(got.Message), got.Message)
	}
}

func TestWhatTellsOfADeletionPasses(t *testing.T) {
	t.Parallel()
	gone := toolscache.DeletedFinalStateUnknown{Key: "team/e1"}
	for name, f := range map[string]func(any) (any, error){"a job": stripJob, "a pod": StripPod, "an error": new(stripper).stripJobError} {
		if got := strip(t, f, gone); got != gone {
			t.Errorf("of %s it passes on %v", name, got)
		}
	}
}

func TestErrorsOfOneJobShareWhatTheyHaveInCommon(t *testing.T) {
	t.Parallel()
	f := new(stripper).stripJobError
	first, second := strip(t, f, reported()), strip(t, f, reported())
	if unsafe.SliceData(first.OwnerReferences) != unsafe.SliceData(second.OwnerReferences) {
		t.Error("each has owners of its own")
	}
	other := reported()
	other.OwnerReferences[0].Name, other.Labels = "weekly", map[string]string{joberrorv1.LabelJobName: "weekly"}
	third := strip(t, f, other)
	if third.OwnerReferences[0].Name != "weekly" || third.Labels[joberrorv1.LabelJobName] != "weekly" ||
		first.OwnerReferences[0].Name != "nightly" || first.Labels[joberrorv1.LabelJobName] != "nightly" {
		t.Errorf("an error of another job has %v and %v", third.OwnerReferences, third.Labels)
	}
}
