// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrors_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joberrors/joberrorstest"
)

func jobError() *joberrorv1.JobError {
	return &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1", ResourceVersion: "7"}}
}

func TestWriterSaysWhatItAttempted(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(joberrorv1.GroupVersion.WithResource("joberrors").GroupResource(), "e1", errors.New("no right"))
	server := &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError { return forbidden }}
	w, je := server.Writer(t), jobError()
	changed := je.DeepCopy()
	changed.Spec.Resolved = true
	changed.Status.Occurrences = 1
	for want, err := range map[string]error{
		"create JobError: ":              w.Create(t.Context(), je),
		"patch JobError: ":               w.Patch(t.Context(), je, changed),
		"patch the status of JobError: ": w.PatchStatus(t.Context(), changed, &je.Status),
	} {
		if !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("err = %v, want %q and Forbidden", err, want)
		}
	}
}

func TestPatchStatusWritesOnlyAChange(t *testing.T) {
	t.Parallel()
	server := &joberrorstest.Server{}
	w, je := server.Writer(t), jobError()
	if err := w.PatchStatus(t.Context(), je, je.Status.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	before := je.Status.DeepCopy()
	je.Status.Occurrences = 1
	if err := w.PatchStatus(t.Context(), je, before); err != nil {
		t.Fatal(err)
	}
	if got, want := server.Requests(), []string{"PATCH /namespaces/team/joberrors/e1/status"}; !slices.Equal(got, want) {
		t.Errorf("requests = %v, want %v", got, want)
	}
}
