// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"encoding/pem"
)

// bundle is a list of PEM-encoded certificates, as in a caBundle field.
type bundle []byte

// certificates returns each certificate of the bundle, PEM encoded.
func (b bundle) certificates() [][]byte {
	var certificates [][]byte
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		certificates = append(certificates, pem.EncodeToMemory(block))
	}
	return certificates
}

// has reports whether the bundle contains a certificate.
func (b bundle) has(certificate []byte) bool {
	for _, c := range b.certificates() {
		if bytes.Equal(bytes.TrimSpace(c), bytes.TrimSpace(certificate)) {
			return true
		}
	}
	return false
}

// with returns the bundle with a certificate added at the front. Of the certificates that
// the bundle had, it keeps only the first, which is the latest.
func (b bundle) with(certificate []byte) bundle {
	if b.has(certificate) {
		return b
	}
	extended := bytes.Clone(certificate)
	if former := b.certificates(); len(former) > 0 {
		extended = append(extended, former[0]...)
	}
	return extended
}
