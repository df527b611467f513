// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/certs"
)

// newAuthority returns an authority whose certificate is in the file name.crt of a directory.
func newAuthority(t *testing.T, dir, name string) *controlplane.Authority {
	t.Helper()
	authority, err := controlplane.NewAuthority(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// certificateOf returns a certificate that an authority signed.
func certificateOf(t *testing.T, authority *controlplane.Authority) tls.Certificate {
	t.Helper()
	certPEM, keyPEM, err := authority.Sign(pkix.Name{CommonName: "localhost"}, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// serve starts a server that echoes bodies, with the limits of connections, and returns its
// URL.
func serve(t *testing.T, configure func(*tls.Config)) string {
	t.Helper()
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
		Certificates: []tls.Certificate{certificateOf(t, newAuthority(t, t.TempDir(), "server"))},
	}
	configure(config)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	server := newHTTPServer(t.Context(), echo)
	server.ErrorLog = log.New(io.Discard, "", 0)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "https://" + listener.Addr().String()
}

// get sends a request with a header on a connection of its own, with these certificates.
func get(t *testing.T, url, header string, certificates ...tls.Certificate) (int, error) {
	t.Helper()
	transport := &http.Transport{
		ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{Certificates: certificates, InsecureSkipVerify: true}, //nolint:gosec // the server's certificate is not tested
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Test", header)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

func TestHeadersAreLimited(t *testing.T) {
	t.Parallel()
	url := serve(t, func(*tls.Config) {})
	if code, err := get(t, url, strings.Repeat("x", maxHeaderBytes/2)); err != nil || code != http.StatusOK {
		t.Errorf("a short header: %d, %v, want 200", code, err)
	}
	if code, err := get(t, url, strings.Repeat("x", 2*maxHeaderBytes)); err == nil && code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: %d, want 431", code)
	}
}

func TestClientsNeedACertificateOfTheCA(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trusted, other := newAuthority(t, dir, "trusted"), newAuthority(t, dir, "other")
	clients, err := newClientCA(filepath.Join(dir, "trusted.crt"))
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, clients.configureTLS)
	if code, err := get(t, url, "", certificateOf(t, trusted)); err != nil || code != http.StatusOK {
		t.Errorf("with a certificate: %d, %v, want 200", code, err)
	}
	if code, err := get(t, url, ""); err == nil {
		t.Errorf("without a certificate: %d, want an error", code)
	}
	if code, err := get(t, url, "", certificateOf(t, other)); err == nil {
		t.Errorf("with a certificate of another CA: %d, want an error", code)
	}
}

func TestAChangedFileOfCAsIsUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newAuthority(t, dir, "old")
	next := newAuthority(t, dir, "next")
	file := filepath.Join(dir, "old.crt")
	clients, err := newClientCA(file)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, clients.configureTLS)
	certificate := certificateOf(t, next)
	if _, err := get(t, url, "", certificate); err == nil {
		t.Error("a certificate of a CA that is not in the file was accepted")
	}
	if err := os.WriteFile(file, next.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := clients.file.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, err := get(t, url, "", certificate); err != nil || code != http.StatusOK {
		t.Errorf("with a certificate of the new CA: %d, %v, want 200", code, err)
	}
}

func TestAFileWithoutACAIsRefused(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.crt")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".missing"} {
		if _, err := NewServer(ServerOptions{ClientCAFile: file, Certificate: certs.NewCertificate(t.TempDir())}); err == nil {
			t.Errorf("NewServer with %s succeeded, want an error", filepath.Base(file))
		}
	}
}
