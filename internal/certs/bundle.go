// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"encoding/pem"
)

// bundle is a list of certificates, PEM encoded, as a caBundle is.
type bundle []byte

// blocks are the certificates, each alone.
func (b bundle) blocks() [][]byte {
	var all [][]byte
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, pem.EncodeToMemory(block))
	}
	return all
}

// has tells whether a certificate is in it.
func (b bundle) has(certificate []byte) bool {
	for _, block := range b.blocks() {
		if bytes.Equal(bytes.TrimSpace(block), bytes.TrimSpace(certificate)) {
			return true
		}
	}
	return false
}

// extended is the bundle with a certificate in front, and no more than the
// latest of those that it had.
func (b bundle) extended(certificate []byte) bundle {
	if b.has(certificate) {
		return b
	}
	extended := bytes.Clone(certificate)
	if former := b.blocks(); len(former) > 0 {
		extended = append(extended, former[0]...)
	}
	return extended
}
