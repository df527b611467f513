// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref/jobreftest"
)

func revision(name string, age time.Duration) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: name, CreationTimestamp: metav1.NewTime(now.Add(-age)), Labels: map[string]string{joberrorv1.LabelTemplate: "true"},
	}}
}

func TestTemplatesThatNoErrorNamesAreDeleted(t *testing.T) {
	t.Parallel()
	foreign := revision("joberror-foreign", time.Hour)
	foreign.Labels = nil
	named := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "e", Annotations: map[string]string{joberrorv1.AnnotationTemplate: "joberror-named"},
	}}
	s := newStore(t, interceptor.Funcs{},
		revision("joberror-named", time.Hour), revision("joberror-unused", time.Hour), revision("joberror-young", time.Minute), foreign, named)
	w := &Sweeper{Store: s, Errors: jobreftest.Lister[*joberrorv1.JobError](s.Cached, &joberrorv1.JobErrorList{})}
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := revisions(t, s)
	slices.Sort(left)
	if want := []string{"joberror-foreign", "joberror-named", "joberror-young"}; !slices.Equal(left, want) {
		t.Errorf("revisions = %v, want %v", left, want)
	}
	if s.counts["team"] != 2 {
		t.Errorf("count = %d, want the two of the operator", s.counts["team"])
	}
}
