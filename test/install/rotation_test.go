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

// rotationTimeout limits how long a rotation of the CA may take. Both CAs are trusted for
// one minute of it.
const rotationTimeout = 3 * time.Minute

// trustedCAs returns the CAs that the API server trusts when it calls the aggregated API.
func trustedCAs(t *testing.T) []byte {
	t.Helper()
	var service apiregistrationv1.APIService
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: certs.APIService}, &service); err != nil {
		t.Fatal(err)
	}
	return service.Spec.CABundle
}

func TestCARotationFailsNoRequest(t *testing.T) {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = attribution.OperatorNamespace, certs.SecretName
	for _, tc := range []struct {
		name   string
		rotate func() error
	}{
		{"Secret deleted", func() error { return cluster.Client.Delete(t.Context(), secret.DeepCopy()) }},
		{"Secret emptied", func() error {
			return cluster.Client.Patch(t.Context(), secret.DeepCopy(), harness.MergePatch(`{"data":null}`))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := startStream(t)
			before := string(trustedCAs(t))
			if err := tc.rotate(); err != nil {
				t.Fatal(err)
			}
			sawBoth := false
			harness.EventuallyWithin(t, rotationTimeout, func() string {
				err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), secret)
				if client.IgnoreNotFound(err) != nil {
					t.Fatal(err)
				}
				if apierrors.IsNotFound(err) || len(secret.Data["ca.crt"]) == 0 {
					return "the Secret has no new CA yet"
				}
				current := trustedCAs(t)
				first, rest := pem.Decode(current)
				if first == nil {
					t.Fatal("no CA is trusted")
				}
				sawBoth = sawBoth || len(rest) > 0
				if string(current) == before || string(current) != string(secret.Data["ca.crt"]) {
					return "the new CA is not the only trusted one yet"
				}
				return ""
			})
			if !sawBoth {
				t.Error("the old and the new CA were never trusted at the same time")
			}
			s.end(t)
		})
	}
}
