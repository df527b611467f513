// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/test/harness"
)

// certManager acts as cert-manager for the objects of its component: it writes the Secret
// that the Certificate names, and injects the CA if an annotation asks for it.
type certManager struct{ authority *controlplane.Authority }

// issue writes a certificate that matches the Certificate.
func (m certManager) issue(t *testing.T) {
	t.Helper()
	certificate := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "cert-manager.io/v1", "kind": "Certificate"}}
	if err := cluster.Client.Get(t.Context(), harness.Key(attribution.OperatorNamespace, "joberror-operator"), certificate); err != nil {
		t.Fatal(err)
	}
	name, _, _ := unstructured.NestedString(certificate.Object, "spec", "secretName")
	hosts, _, _ := unstructured.NestedStringSlice(certificate.Object, "spec", "dnsNames")
	cert, key, err := m.authority.Sign(pkix.Name{CommonName: "joberror-operator"}, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{"ca.crt": m.authority.CA(), "tls.crt": cert, "tls.key": key}}
	secret.Namespace, secret.Name = attribution.OperatorNamespace, name
	if err := cluster.Client.Update(t.Context(), secret); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	} else if err != nil {
		harness.Create(t, cluster.Client, secret)
	}
}

// inject writes the CA to the objects whose annotations ask for it.
func (m certManager) inject(t *testing.T) {
	t.Helper()
	injected := 0
	for caller, name := range certs.Callers() {
		// The API server writes the status of the APIService.
		err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
			if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: name}, caller); err != nil {
				return err
			}
			if caller.GetAnnotations()["cert-manager.io/inject-ca-from"] != "joberror-system/joberror-operator" {
				return nil
			}
			for _, bundle := range certs.CABundles(caller) {
				*bundle = m.authority.CA()
			}
			if err := cluster.Client.Update(t.Context(), caller); err != nil {
				return err
			}
			injected++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if injected != 3 {
		t.Errorf("%d objects ask for the CA, want 3", injected)
	}
}

// The test applies the component to a real API server, and acts as cert-manager.
func TestCertManagerCanManageTheCertificate(t *testing.T) {
	authority, err := controlplane.NewAuthority(t.TempDir(), "joberror-ca")
	if err != nil {
		t.Fatal(err)
	}
	manager := certManager{authority}
	definitions := filepath.Join(cluster.Root, "bin", "crds", "cert-manager")
	cluster.Kubectl(t, "apply", "--server-side", "-f", definitions)
	cluster.WaitEstablished(t, "-f", definitions)
	manifests, err := cluster.Manifests()
	if err != nil {
		t.Fatal(err)
	}
	cluster.Kubectl(t, "delete", "-f", manifests, "--timeout=180s")
	base, err := cluster.Kustomization()
	if err != nil {
		t.Fatal(err)
	}
	folder := cluster.Overlay(t, base, "cert-manager")
	t.Cleanup(func() {
		if _, err := cluster.Run(context.WithoutCancel(t.Context()), nil, "delete", "-k", folder, "--timeout=180s"); err != nil {
			t.Error(err)
		}
		restore(t)
	})
	file := filepath.Join(t.TempDir(), "install.yaml")
	if err := os.WriteFile(file, []byte(cluster.Kubectl(t, "kustomize", folder)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cluster.InstallFile(t.Context(), file, cluster.Ports); err != nil {
		t.Fatal(err)
	}
	manager.issue(t)
	manager.inject(t)
	if err := cluster.WaitInstalled(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := startStream(t)
	before := servedCerts(t)
	manager.issue(t)
	harness.Eventually(t, func() string {
		after := servedCerts(t)
		for i := range after {
			if bytes.Equal(after[i], before[i]) {
				return fmt.Sprintf("replica %d still serves the previous certificate", i)
			}
		}
		return ""
	})
	s.end(t)
	if ca := trustedCAs(t); !bytes.Equal(ca, authority.CA()) {
		t.Errorf("the operator changed the CA that cert-manager manages: %s", ca)
	}
}

// servedCerts returns the certificates that the replicas' aggregated APIs serve.
func servedCerts(t *testing.T) [][]byte {
	t.Helper()
	var served [][]byte
	for _, at := range cluster.Pods.Ready() {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", at.APIPort))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		served = append(served, conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw)
	}
	if len(served) != 2 {
		t.Fatalf("%d replicas serve, want 2", len(served))
	}
	return served
}
