// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"maps"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

func TestMarkOf(t *testing.T) {
	t.Parallel()
	none := attribution.Mark{}
	bobs := attribution.Mark{By: "bob", Generation: 3}
	operators := attribution.Mark{By: "carol", Generation: 5, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}}
	alices := attribution.Mark{By: "alice", Generation: 5}

	for _, tc := range []struct {
		name              string
		wasResolved, is   bool
		before, sent, end attribution.Mark
	}{
		{name: "who resolves a new error is marked", is: true, end: alices},
		{name: "who resolves an error again is marked in the earlier one's place", is: true, before: bobs, sent: bobs, end: alices},
		{name: "who reopens an error is marked", wasResolved: true, before: bobs, sent: bobs, end: alices},
		{name: "who resolves with a manifest that dropped the mark is marked", is: true, before: bobs, end: alices},
		{name: "who reopens with a manifest that dropped the mark is marked", wasResolved: true, before: bobs, end: alices},
		{name: "a resolution's mark does not outlive a user's change", wasResolved: true, before: operators, sent: operators, end: alices},

		{name: "a change in another's name is left for the policy to refuse", is: true, before: bobs, sent: operators, end: operators},
		{name: "the first change in another's name is left too", is: true, sent: operators, end: operators},
		{name: "a reopening in another's name is left too", wasResolved: true, before: bobs, sent: operators, end: operators},
		{name: "a mark of one's own that is ahead of the change is put right", is: true, sent: attribution.Mark{By: "alice", Generation: 999}, end: alices},
		{name: "a mark without a name is put right", is: true, before: bobs, sent: attribution.Mark{Generation: 999}, end: alices},
		{name: "a mark without a change is taken back", sent: attribution.Mark{By: "alice", Generation: 999}, end: none},
		{name: "a mark without a change gives way to the earlier one", wasResolved: true, is: true, before: bobs, sent: attribution.Mark{By: "bob", Generation: 999}, end: bobs},

		{name: "an update without a change keeps the mark", wasResolved: true, is: true, before: bobs, sent: bobs, end: bobs},
		{name: "an update of an open error keeps the mark", before: bobs, sent: bobs, end: bobs},
		{name: "an update without a change that dropped the mark gets it back", wasResolved: true, is: true, before: bobs, end: bobs},
		{name: "an update of an open error that dropped the mark gets it back", before: operators, end: operators},
		{name: "an update of an error that was never marked marks nobody", before: none, sent: none, end: none},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			old := marked(tc.wasResolved, tc.before)
			je := marked(tc.is, tc.sent)
			markOf(je, old, tc.is != tc.wasResolved, attribution.Mark{By: "alice", Generation: 5})
			if got := attribution.Of(je); got != tc.end {
				t.Errorf("mark = %+v, want %+v", got, tc.end)
			}
			if je.Spec.Resolved != tc.is {
				t.Errorf("resolved = %t: the wish must be left as it is", je.Spec.Resolved)
			}
		})
	}
}

// marked is an error of generation 4 with a mark, or with none at all.
func marked(resolved bool, mark attribution.Mark) *joberrorv1.JobError {
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: resolved}}
	je.Generation = 4
	if mark != (attribution.Mark{}) {
		mark.Put(je)
	}
	return je
}

func TestAMarkLeavesOtherAnnotationsAlone(t *testing.T) {
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
			markOf(je, old, resolved, attribution.Mark{By: "alice", Generation: 5})
			if !maps.Equal(je.Annotations, want) {
				t.Errorf("annotations = %v, want %v", je.Annotations, want)
			}
		})
	}
}

func TestALeftoverNameDoesNotHideWhoResolves(t *testing.T) {
	t.Parallel()
	je := marked(true, attribution.Mark{})
	je.Annotations = map[string]string{joberrorv1.AnnotationResolvedBy: "bob"}
	old := je.DeepCopy()
	markOf(je, old, true, attribution.Mark{By: "alice", Generation: 5})
	if got := attribution.Of(je); got.By != "alice" {
		t.Errorf("mark = %+v, want alice's", got)
	}
}
