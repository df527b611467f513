// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package conditions

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSet(t *testing.T) {
	t.Parallel()
	earlier := time.Date(2026, time.November, 5, 10, 0, 0, 0, time.UTC)
	now := earlier.Add(time.Hour)
	ready := func(status metav1.ConditionStatus, reason string, generation int64, at time.Time) metav1.Condition {
		return metav1.Condition{Type: "Ready", Status: status, Reason: reason, Message: reason,
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(at)}
	}
	other := metav1.Condition{Type: "Other", Status: metav1.ConditionTrue, Reason: "Other", LastTransitionTime: metav1.NewTime(earlier)}

	for _, tc := range []struct {
		name   string
		before []metav1.Condition
		set    metav1.Condition
		want   []metav1.Condition
	}{
		{
			name: "a new condition transitions now",
			set:  metav1.Condition{Status: metav1.ConditionTrue, Reason: "Done", Message: "Done"},
			want: []metav1.Condition{ready(metav1.ConditionTrue, "Done", 2, now)},
		},
		{
			name:   "a changed status transitions now",
			before: []metav1.Condition{ready(metav1.ConditionFalse, "Waiting", 1, earlier)},
			set:    metav1.Condition{Status: metav1.ConditionTrue, Reason: "Done", Message: "Done"},
			want:   []metav1.Condition{ready(metav1.ConditionTrue, "Done", 2, now)},
		},
		{
			name:   "an unchanged status keeps its time, even with another reason",
			before: []metav1.Condition{ready(metav1.ConditionFalse, "Waiting", 1, earlier)},
			set:    metav1.Condition{Status: metav1.ConditionFalse, Reason: "Failed", Message: "Failed"},
			want:   []metav1.Condition{ready(metav1.ConditionFalse, "Failed", 2, earlier)},
		},
		{
			name:   "the type, time and generation of the given condition are ignored",
			before: []metav1.Condition{ready(metav1.ConditionTrue, "Done", 1, earlier)},
			set: metav1.Condition{Type: "Mistaken", Status: metav1.ConditionTrue, Reason: "Done", Message: "Done",
				ObservedGeneration: 9, LastTransitionTime: metav1.NewTime(now.Add(time.Hour))},
			want: []metav1.Condition{ready(metav1.ConditionTrue, "Done", 2, earlier)},
		},
		{
			name:   "other conditions stay unchanged",
			before: []metav1.Condition{other},
			set:    metav1.Condition{Status: metav1.ConditionTrue, Reason: "Done", Message: "Done"},
			want:   []metav1.Condition{other, ready(metav1.ConditionTrue, "Done", 2, now)},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := append([]metav1.Condition(nil), tc.before...)
			Set(&got, 2, now, "Ready", tc.set)
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("conditions = %+v, want %+v", got, tc.want)
			}
		})
	}
}
