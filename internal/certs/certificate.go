// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// Names of the files, and of the Secret's keys, as in a Secret of type
// kubernetes.io/tls.
const (
	caName   = "ca.crt"
	certName = corev1.TLSCertKey
	keyName  = corev1.TLSPrivateKeyKey
)

// Certificate is the serving certificate in a folder. The servers watch the
// files; a mounted Secret would be a minute late.
type Certificate struct {
	Folder string
	// ready is closed once the certificate is there and those who call the
	// servers trust it.
	ready chan struct{}
	once  *sync.Once
}

// In is the certificate that Setup will keep in the folder.
func In(folder string) Certificate {
	return Certificate{Folder: folder, ready: make(chan struct{}), once: &sync.Once{}}
}

// CertFile is the path of the certificate.
func (c Certificate) CertFile() string { return filepath.Join(c.Folder, certName) }

// KeyFile is the path of its key.
func (c Certificate) KeyFile() string { return filepath.Join(c.Folder, keyName) }

// Get is for servers that read the files at each handshake.
func (c Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile(), c.KeyFile())
	return &pair, err
}

// Wait waits until the certificate can be used; false where the context ended
// first.
func (c Certificate) Wait(ctx context.Context) bool {
	select {
	case <-c.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// Check is a readiness check.
func (c Certificate) Check(*http.Request) error {
	if !c.inUse() {
		return errors.New("the serving certificate is not ready")
	}
	return nil
}

// inUse tells whether the servers have a certificate.
func (c Certificate) inUse() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// write replaces the files where they differ; the key first, since the servers
// load the pair when either changes and keep the old one until it fits.
func (c Certificate) write(pair keyPair) error {
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
	c.once.Do(func() { close(c.ready) })
	return nil
}

type keyPair struct{ cert, key []byte }

func pairOf(secret *corev1.Secret) keyPair {
	return keyPair{cert: secret.Data[certName], key: secret.Data[keyName]}
}

// leaf is the certificate itself; nil where the pair can't be served.
func (p keyPair) leaf() *x509.Certificate {
	pair, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil
	}
	return pair.Leaf
}

// Strict is how servers speak TLS with their few callers, all of them current.
// HTTP/2 stays on: with it a server that shuts down tells which requests it has
// not seen, and the API server sends those elsewhere. Over HTTP/1.1 a request
// that meets the end of an idle connection is lost.
func Strict(config *tls.Config) { config.MinVersion = tls.VersionTLS13 }
