// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func annotated(annotations map[string]string) *joberrorv1.JobError {
	je := &joberrorv1.JobError{}
	je.Annotations = annotations
	return je
}

func TestAMarkReadsAsItWasPut(t *testing.T) {
	t.Parallel()
	for name, mark := range map[string]Mark{
		"by a user":                {By: "alice", Generation: 2},
		"with a resolution":        {By: "alice", Generation: 7, Resolution: Resolution{Name: "resolve-x1", UID: "1"}},
		"by the operator itself":   {By: "operator", Generation: 7, Cause: Cause{Reason: "JobSucceeded", Name: "nightly-2"}},
		"by a user who is unknown": {Generation: 3, Resolution: Resolution{Name: "resolve-x1", UID: "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := annotated(nil)
			mark.Put(je)
			if got := Of(je); got != mark {
				t.Errorf("Of = %+v, want %+v", got, mark)
			}
		})
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		annotations map[string]string
		want        Mark
	}{
		{name: "no annotations are no mark"},
		{name: "a mark without a generation is no mark", annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolution: "resolve-x1/1",
		}},
		{name: "a mark with an unreadable generation is no mark", annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "two",
		}},
		{name: "a mark with a generation beyond all numbers is no mark", annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "9223372036854775808",
		}},
		{name: "a mark with a user and a generation is one", want: Mark{By: "alice", Generation: 2}, annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2",
		}},
		{name: "a mark with a generation alone is one of nobody known", want: Mark{Generation: 2}, annotations: map[string]string{
			joberrorv1.AnnotationResolvedGeneration: "2",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := Of(annotated(tc.annotations)); got != tc.want {
				t.Errorf("Of = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestPut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		before, want map[string]string
		mark         Mark
	}{
		{
			name: "an object without annotations gets them",
			mark: Mark{By: "alice", Generation: 2},
			want: map[string]string{joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2"},
		},
		{
			name: "an earlier mark is replaced, and what the new one lacks is cleared",
			before: map[string]string{
				joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2",
				joberrorv1.AnnotationResolution: "resolve-x1/1",
			},
			mark: Mark{By: "bob", Generation: 3},
			want: map[string]string{joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "3"},
		},
		{
			name:   "an unknown user clears the earlier one's name",
			before: map[string]string{joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2"},
			mark:   Mark{Generation: 3, Resolution: Resolution{Name: "resolve-x2", UID: "1"}},
			want:   map[string]string{joberrorv1.AnnotationResolution: "resolve-x2/1", joberrorv1.AnnotationResolvedGeneration: "3"},
		},
		{
			name:   "other annotations are kept",
			before: map[string]string{"example.com/owner": "payments"},
			mark:   Mark{By: "alice", Generation: 2},
			want: map[string]string{
				"example.com/owner":             "payments",
				joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2",
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := annotated(tc.before)
			tc.mark.Put(je)
			if !maps.Equal(je.Annotations, tc.want) {
				t.Errorf("annotations = %v, want %v", je.Annotations, tc.want)
			}
		})
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                string
		mark, observed, now int64
		want                bool
	}{
		{name: "the change that led to the present generation", mark: 3, observed: 2, now: 3, want: true},
		{name: "a change of which more have followed unseen", mark: 3, observed: 2, now: 5, want: true},
		{name: "the first change of an object never observed", mark: 1, observed: 0, now: 1, want: true},
		{name: "a change that was observed already", mark: 2, observed: 2, now: 3},
		{name: "a change of long ago", mark: 1, observed: 4, now: 5},
		{name: "a change that has not come yet", mark: 4, observed: 2, now: 3},
		{name: "no mark at all", mark: 0, observed: 0, now: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := (Mark{Generation: tc.mark}).Fresh(tc.observed, tc.now); got != tc.want {
				t.Errorf("Fresh(%d, %d) of generation %d = %t, want %t", tc.observed, tc.now, tc.mark, got, tc.want)
			}
		})
	}
}

func TestCarryLeavesNothingOfAMarkBehind(t *testing.T) {
	t.Parallel()
	from := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "no number", "team": "data",
	}}}
	to := &joberrorv1.JobError{}
	Carry(from, to)
	if want := (map[string]string{joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "no number"}); !maps.Equal(to.Annotations, want) {
		t.Errorf("carried %v, want %v", to.Annotations, want)
	}
	Carry(&joberrorv1.JobError{}, to)
	if len(to.Annotations) != 2 {
		t.Errorf("an object without a mark changed %v", to.Annotations)
	}
}
