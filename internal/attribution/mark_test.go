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

func TestMarkOfReturnsTheMarkThatWasPut(t *testing.T) {
	t.Parallel()
	for name, mark := range map[string]Mark{
		"by a user":          {By: "alice", Generation: 2},
		"with a resolution":  {By: "alice", Generation: 7, Resolution: Resolution{Name: "resolve-x1", UID: "1"}},
		"by the operator":    {By: "operator", Generation: 7, Cause: Cause{Reason: "JobSucceeded", Name: "nightly-2"}},
		"by an unknown user": {Generation: 3, Resolution: Resolution{Name: "resolve-x1", UID: "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := annotated(nil)
			mark.Put(je)
			if got := MarkOf(je); got != mark {
				t.Errorf("MarkOf = %+v, want %+v", got, mark)
			}
		})
	}
}

func TestMarkOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		annotations map[string]string
		want        Mark
	}{
		{name: "no annotations"},
		{name: "without a generation", annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolution: "resolve-x1/1",
		}},
		{name: "a generation that is not a number", annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "two",
		}},
		{name: "a generation that overflows", annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "9223372036854775808",
		}},
		{name: "a user and a generation", want: Mark{By: "alice", Generation: 2}, annotations: map[string]string{
			joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2",
		}},
		{name: "a generation without a user", want: Mark{Generation: 2}, annotations: map[string]string{
			joberrorv1.AnnotationResolvedGeneration: "2",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := MarkOf(annotated(tc.annotations)); got != tc.want {
				t.Errorf("MarkOf = %+v, want %+v", got, tc.want)
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
			name: "an object without annotations gets the mark",
			mark: Mark{By: "alice", Generation: 2},
			want: map[string]string{joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2"},
		},
		{
			name: "an earlier mark is replaced, including the fields that the new mark lacks",
			before: map[string]string{
				joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "2",
				joberrorv1.AnnotationResolution: "resolve-x1/1",
			},
			mark: Mark{By: "bob", Generation: 3},
			want: map[string]string{joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "3"},
		},
		{
			name:   "an unknown user clears the earlier user",
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
		name                    string
		mark, observed, current int64
		want                    bool
	}{
		{name: "the change to the current generation", mark: 3, observed: 2, current: 3, want: true},
		{name: "an unobserved change before the current generation", mark: 3, observed: 2, current: 5, want: true},
		{name: "the creation of an object that was never observed", mark: 1, observed: -1, current: 1, want: true},
		{name: "the creation of an object without a status", mark: 1, observed: 0, current: 1, want: true},
		{name: "no mark on an object that was never observed", mark: 0, observed: -1, current: 1},
		{name: "a change that was already observed", mark: 2, observed: 2, current: 3},
		{name: "an old change", mark: 1, observed: 4, current: 5},
		{name: "a generation in the future", mark: 4, observed: 2, current: 3},
		{name: "no mark", mark: 0, observed: 0, current: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := (Mark{Generation: tc.mark}).Fresh(tc.observed, tc.current); got != tc.want {
				t.Errorf("Fresh(%d, %d) of generation %d = %t, want %t", tc.observed, tc.current, tc.mark, got, tc.want)
			}
		})
	}
}

func TestCopyMarkCopiesAnInvalidMark(t *testing.T) {
	t.Parallel()
	from := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "no number", "team": "data",
	}}}
	to := &joberrorv1.JobError{}
	CopyMark(from, to)
	if want := (map[string]string{joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "no number"}); !maps.Equal(to.Annotations, want) {
		t.Errorf("annotations = %v, want %v", to.Annotations, want)
	}
	CopyMark(&joberrorv1.JobError{}, to)
	if len(to.Annotations) != 2 {
		t.Errorf("annotations = %v, want the earlier mark unchanged", to.Annotations)
	}
}

func TestSetGeneration(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ before, want map[string]string }{
		"no annotations":    {},
		"other annotations": {before: map[string]string{"team": "data"}, want: map[string]string{"team": "data"}},
		"a mark": {
			before: map[string]string{joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "7"},
			want:   map[string]string{joberrorv1.AnnotationResolvedBy: "bob", joberrorv1.AnnotationResolvedGeneration: "1"},
		},
		"a mark without a generation": {
			before: map[string]string{joberrorv1.AnnotationResolution: "r/1"},
			want:   map[string]string{joberrorv1.AnnotationResolution: "r/1", joberrorv1.AnnotationResolvedGeneration: "1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := annotated(tc.before)
			SetGeneration(je, 1)
			if !maps.Equal(je.Annotations, tc.want) {
				t.Errorf("annotations = %v, want %v", je.Annotations, tc.want)
			}
		})
	}
}
