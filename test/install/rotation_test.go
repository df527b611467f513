// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/pem"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/test/harness"
)

// handedOver is how long a change of the CA may take: both are trusted for a
// minute.
const handedOver = 3 * time.Minute

// trusted are the CAs that the API server trusts when it calls the aggregated
// API.
func trusted(t *testing.T) []byte {
	t.Helper()
	var service apiregistrationv1.APIService
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: certs.APIService}, &service); err != nil {
		t.Fatal(err)
	}
	return service.Spec.CABundle
}

func TestARotationOfTheCAFailsNoRequest(t *testing.T) {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = attribution.OperatorNamespace, certs.SecretName
	for _, way := range []struct {
		name   string
		rotate func() error
	}{
		{"its Secret is deleted", func() error { return cluster.Client.Delete(t.Context(), secret.DeepCopy()) }},
		{"its Secret is emptied", func() error {
			return cluster.Client.Patch(t.Context(), secret.DeepCopy(), harness.MergePatch(`{"data":null}`))
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := startStream(t)
			before := string(trusted(t))
			if err := way.rotate(); err != nil {
				t.Fatal(err)
			}
			both := false
			harness.EventuallyIn(t, handedOver, func() string {
				err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), secret)
				if client.IgnoreNotFound(err) != nil {
					t.Fatal(err)
				}
				if apierrors.IsNotFound(err) || len(secret.Data["ca.crt"]) == 0 {
					return "there is no new CA"
				}
				now := trusted(t)
				first, rest := pem.Decode(now)
				if first == nil {
					t.Fatal("no CA is trusted")
				}
				both = both || len(rest) > 0
				if string(now) == before || string(now) != string(secret.Data["ca.crt"]) {
					return "the new CA is not the only one that is trusted"
				}
				return ""
			})
			if !both {
				t.Error("there was no moment in which both CAs were trusted")
			}
			s.end(t)
		})
	}
}
