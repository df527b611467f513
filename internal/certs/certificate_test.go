// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"crypto/tls"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	certutil "k8s.io/client-go/util/cert"
)

// realKeyPair returns a self-signed key pair for a host.
func realKeyPair(t *testing.T, host string) keyPair {
	t.Helper()
	cert, key, err := certutil.GenerateSelfSignedCertKey(host, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := parseKeyPair(&corev1.Secret{Data: map[string][]byte{certName: cert, keyName: key}})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestServersUseTheLatestKeyPair(t *testing.T) {
	t.Parallel()
	certificate := NewCertificate(t.TempDir())
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	certificate.ConfigureTLS(config)
	if config.MinVersion != tls.VersionTLS13 {
		t.Errorf("MinVersion = %x, want TLS 1.3", config.MinVersion)
	}
	if got, err := config.GetCertificate(nil); err == nil {
		t.Errorf("GetCertificate before the first key pair = %v, want an error", got)
	}
	for _, host := range []string{"first", "second"} {
		pair := realKeyPair(t, host)
		if err := certificate.set(pair); err != nil {
			t.Fatal(err)
		}
		if got, err := config.GetCertificate(nil); err != nil || got != pair.parsed {
			t.Errorf("GetCertificate = %v, %v, want the key pair of %s", got, err, host)
		}
		for path, want := range map[string][]byte{certificate.CertFile(): pair.cert, certificate.KeyFile(): pair.key} {
			if data, err := os.ReadFile(path); err != nil || string(data) != string(want) {
				t.Errorf("%s = %q, %v, want that of %s", path, data, err, host)
			}
		}
	}
}

func TestWaitEndsWithTheCertificateOrTheContext(t *testing.T) {
	t.Parallel()
	certificate := NewCertificate(t.TempDir())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if certificate.Wait(canceled) {
		t.Error("Wait without a certificate = true, want false")
	}
	if err := certificate.set(realKeyPair(t, "host")); err != nil {
		t.Fatal(err)
	}
	if !certificate.Wait(t.Context()) {
		t.Error("Wait with a certificate = false, want true")
	}
}

func TestAnInvalidKeyPairIsAnError(t *testing.T) {
	t.Parallel()
	valid, other := realKeyPair(t, "valid"), realKeyPair(t, "other")
	for name, data := range map[string]map[string][]byte{
		"an empty Secret":              nil,
		"a certificate without a key":  {certName: valid.cert},
		"the key of another key pair":  {certName: valid.cert, keyName: other.key},
		"data that is not PEM encoded": {certName: []byte("1"), keyName: []byte("1")},
	} {
		if _, err := parseKeyPair(&corev1.Secret{Data: data}); err == nil {
			t.Errorf("%s: parseKeyPair = nil, want an error", name)
		}
	}
}
