// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"maps"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

func TestSetMark(t *testing.T) {
	t.Parallel()
	none := attribution.Mark{}
	bobs := attribution.Mark{By: "bob", Generation: 3}
	operators := attribution.Mark{By: "carol", Generation: 5, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}}
	alices := attribution.Mark{By: "alice", Generation: 5}

	for _, tc := range []struct {
		name                  string
		wasResolved, resolved bool
		before, sent, want    attribution.Mark
	}{
		{name: "the user who resolves a new error is marked", resolved: true, want: alices},
		{name: "the user who resolves an error again replaces the earlier user", resolved: true, before: bobs, sent: bobs, want: alices},
		{name: "the user who reopens an error is marked", wasResolved: true, before: bobs, sent: bobs, want: alices},
		{name: "the user who resolves with a manifest without the mark is marked", resolved: true, before: bobs, want: alices},
		{name: "the user who reopens with a manifest without the mark is marked", wasResolved: true, before: bobs, want: alices},
		{name: "a user's change replaces the mark of a resolution", wasResolved: true, before: operators, sent: operators, want: alices},

		{name: "a change in another user's name keeps that name for the policy to refuse", resolved: true, before: bobs, sent: operators, want: operators},
		{name: "a first change in another user's name keeps that name too", resolved: true, sent: operators, want: operators},
		{name: "a reopening in another user's name keeps that name too", wasResolved: true, before: bobs, sent: operators, want: operators},
		{name: "a user's own mark with a later generation is corrected", resolved: true, sent: attribution.Mark{By: "alice", Generation: 999}, want: alices},
		{name: "a mark without a user is corrected", resolved: true, before: bobs, sent: attribution.Mark{Generation: 999}, want: alices},
		{name: "a mark without a change is removed", sent: attribution.Mark{By: "alice", Generation: 999}, want: none},
		{name: "a mark without a change is replaced with the earlier mark", wasResolved: true, resolved: true, before: bobs, sent: attribution.Mark{By: "bob", Generation: 999}, want: bobs},

		{name: "an update without a change keeps the mark", wasResolved: true, resolved: true, before: bobs, sent: bobs, want: bobs},
		{name: "an update of an open error keeps the mark", before: bobs, sent: bobs, want: bobs},
		{name: "an update without a change restores a missing mark", wasResolved: true, resolved: true, before: bobs, want: bobs},
		{name: "an update of an open error restores a missing mark", before: operators, want: operators},
		{name: "an update of an error without a mark sets no mark", before: none, sent: none, want: none},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			old := marked(tc.wasResolved, tc.before)
			je := marked(tc.resolved, tc.sent)
			setMark(je, old, tc.resolved != tc.wasResolved, attribution.Mark{By: "alice", Generation: 5})
			if got := attribution.MarkOf(je); got != tc.want {
				t.Errorf("mark = %+v, want %+v", got, tc.want)
			}
			if je.Spec.Resolved != tc.resolved {
				t.Errorf("resolved = %t, want %t", je.Spec.Resolved, tc.resolved)
			}
		})
	}
}

// marked returns an error with generation 4 and the mark, which may be zero.
func marked(resolved bool, mark attribution.Mark) *joberrorv1.JobError {
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: resolved}}
	je.Generation = 4
	if mark != (attribution.Mark{}) {
		mark.Put(je)
	}
	return je
}

func TestSetMarkKeepsOtherAnnotations(t *testing.T) {
	t.Parallel()
	for name, resolved := range map[string]bool{"with a change": true, "without a change": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, je := marked(false, attribution.Mark{}), marked(resolved, attribution.Mark{})
			je.Annotations = map[string]string{"example.com/owner": "payments"}
			want := maps.Clone(je.Annotations)
			if resolved {
				want[joberrorv1.AnnotationResolvedBy] = "alice"
				want[joberrorv1.AnnotationResolvedGeneration] = "5"
			}
			setMark(je, old, resolved, attribution.Mark{By: "alice", Generation: 5})
			if !maps.Equal(je.Annotations, want) {
				t.Errorf("annotations = %v, want %v", je.Annotations, want)
			}
		})
	}
}

func TestALeftoverUserDoesNotHideTheUserWhoResolves(t *testing.T) {
	t.Parallel()
	je := marked(true, attribution.Mark{})
	je.Annotations = map[string]string{joberrorv1.AnnotationResolvedBy: "bob"}
	old := je.DeepCopy()
	setMark(je, old, true, attribution.Mark{By: "alice", Generation: 5})
	if got := attribution.MarkOf(je); got.By != "alice" {
		t.Errorf("mark = %+v, want By alice", got)
	}
}
