// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestRequestedByDefaultsToTheUser(t *testing.T) {
	t.Parallel()
	ctx := admission.NewContextWithRequest(t.Context(), admission.Request{
		AdmissionRequest: admissionv1.AdmissionRequest{UserInfo: authenticationv1.UserInfo{Username: "alice"}},
	})
	for requestedBy, want := range map[string]string{"": "alice", "bob": "bob"} {
		jer := &joberrorv1.JobErrorResolution{Spec: joberrorv1.JobErrorResolutionSpec{RequestedBy: requestedBy}}
		if err := (resolutionDefaulter{}).Default(ctx, jer); err != nil || jer.Spec.RequestedBy != want {
			t.Errorf("RequestedBy after %q = %q, %v, want %q", requestedBy, jer.Spec.RequestedBy, err, want)
		}
		jet := &joberrorv1.JobErrorRetry{Spec: joberrorv1.JobErrorRetrySpec{RequestedBy: requestedBy}}
		if err := (retryDefaulter{}).Default(ctx, jet); err != nil || jet.Spec.RequestedBy != want {
			t.Errorf("RequestedBy of a retry after %q = %q, %v, want %q", requestedBy, jet.Spec.RequestedBy, err, want)
		}
	}
	if err := (resolutionDefaulter{}).Default(t.Context(), &joberrorv1.JobErrorResolution{}); err == nil {
		t.Error("Default without a request = nil, want an error")
	}
}
