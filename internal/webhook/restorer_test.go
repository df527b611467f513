// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/restore"
)

// A restored error belongs to the Job that it was linked to, whatever Job has the name now.
func TestRestorerLinksTheErrorToItsOwnJob(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: "new"}}
	cache := jobreftest.Cache(t, interceptor.Funcs{}, job, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team", UID: "ns"}})
	ctx := admission.NewContextWithRequest(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{Namespace: "team"}})
	expiresAt := metav1.NewTime(time.Date(2026, time.December, 5, 10, 15, 0, 0, time.UTC))
	for name, tc := range map[string]struct {
		known  *joberrorv1.JobReference
		linked bool
	}{
		"its Job exists":               {known: &joberrorv1.JobReference{Name: "backup", UID: "new"}, linked: true},
		"another Job has the name":     {known: &joberrorv1.JobReference{Name: "backup", UID: "old"}},
		"it was not linked to any Job": {linked: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{
				ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{
					{APIVersion: "batch/v1", Kind: "Job", Name: "backup", UID: "old"}, {APIVersion: "v1", Kind: "Namespace", Name: "team", UID: "elsewhere"},
				}},
				Spec:   joberrorv1.JobErrorSpec{JobID: "backup"},
				Status: joberrorv1.JobErrorStatus{Job: tc.known, ExpiresAt: &expiresAt},
			}
			if err := (&jobErrorRestorer{linker: linker{cache: cache}}).Default(ctx, je); err != nil {
				t.Fatal(err)
			}
			var want []types.UID
			if tc.linked {
				want = []types.UID{"new", "ns"}
			}
			if len(je.OwnerReferences) != len(want) || joblink.HasJobOwner(je, "new") != tc.linked || !restore.IsRestored(je) {
				t.Errorf("owners = %v, annotations = %v, want the owners %v and the status", je.OwnerReferences, je.Annotations, want)
			}
		})
	}
	if err := (&jobErrorRestorer{}).Default(t.Context(), &joberrorv1.JobError{}); err == nil {
		t.Error("Default without a request = nil, want an error")
	}
}
