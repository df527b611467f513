// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
)

// Certificate is the serving certificate in a folder.
type Certificate struct {
	Folder string
	// ready is closed once the certificate is there and those who call the
	// servers trust it.
	ready chan struct{}
}

// In is the certificate that Setup will keep in the folder.
func In(folder string) Certificate {
	return Certificate{Folder: folder, ready: make(chan struct{})}
}

// CertFile is the path of the certificate.
func (c Certificate) CertFile() string { return filepath.Join(c.Folder, certName) }

// KeyFile is the path of its key.
func (c Certificate) KeyFile() string { return filepath.Join(c.Folder, keyName) }

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
	select {
	case <-c.ready:
		return nil
	default:
		return errors.New("the serving certificate is not ready")
	}
}
