// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
)

// Names of the files, and of the Secret's keys, as in a Secret of type
// kubernetes.io/tls.
const (
	caName   = "ca.crt"
	certName = corev1.TLSCertKey
	keyName  = corev1.TLSPrivateKeyKey
)

// errNotReady is the error of a server that has no certificate yet.
var errNotReady = errors.New("the serving certificate is not ready")

// Certificate is the serving certificate of all servers, in memory and in a folder. The
// operator writes the files itself, because a mounted Secret lags by a minute.
type Certificate struct {
	Folder  string
	current atomic.Pointer[tls.Certificate]
	// ready is closed once the certificate is there and the callers trust it.
	ready     chan struct{}
	readyOnce sync.Once
}

// NewCertificate returns the certificate that Setup will keep in the folder.
func NewCertificate(folder string) *Certificate {
	return &Certificate{Folder: folder, ready: make(chan struct{})}
}

// CertFile returns the path of the certificate.
func (c *Certificate) CertFile() string { return filepath.Join(c.Folder, certName) }

// KeyFile returns the path of the private key.
func (c *Certificate) KeyFile() string { return filepath.Join(c.Folder, keyName) }

// ConfigureTLS makes a server use the certificate. It requires TLS 1.3, because all
// callers support it. It leaves HTTP/2 on: a server that shuts down then says which
// requests it has not processed, and the API server sends them to another replica. Over
// HTTP/1.1, a request on an idle connection that closes is lost.
func (c *Certificate) ConfigureTLS(config *tls.Config) {
	config.MinVersion = tls.VersionTLS13
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		current := c.current.Load()
		if current == nil {
			return nil, errNotReady
		}
		return current, nil
	}
}

// Wait waits until the certificate is ready. It returns false if the context ends first.
func (c *Certificate) Wait(ctx context.Context) bool {
	select {
	case <-c.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// Check is a readiness check. It fails until the certificate is ready.
func (c *Certificate) Check(*http.Request) error {
	if !c.isReady() {
		return errNotReady
	}
	return nil
}

// isReady reports whether the servers have a certificate.
func (c *Certificate) isReady() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// set makes the servers use a key pair. It replaces the files that differ, the key first:
// a server that watches the files loads the pair when either changes, and keeps the old
// pair until key and certificate match.
func (c *Certificate) set(pair keyPair) error {
	for _, file := range []struct {
		path string
		data []byte
	}{{c.KeyFile(), pair.key}, {c.CertFile(), pair.cert}} {
		if old, err := os.ReadFile(file.path); err == nil && bytes.Equal(old, file.data) {
			continue
		}
		next := file.path + ".next"
		if err := os.WriteFile(next, file.data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(next, file.path); err != nil {
			return err
		}
	}
	c.current.Store(pair.parsed)
	c.readyOnce.Do(func() { close(c.ready) })
	return nil
}

// keyPair is a certificate with its private key, PEM encoded and parsed.
type keyPair struct {
	cert, key []byte
	parsed    *tls.Certificate
}

// parseKeyPair returns the key pair in a Secret.
func parseKeyPair(secret *corev1.Secret) (keyPair, error) {
	pair := keyPair{cert: secret.Data[certName], key: secret.Data[keyName]}
	parsed, err := tls.X509KeyPair(pair.cert, pair.key)
	pair.parsed = &parsed
	return pair, err
}
