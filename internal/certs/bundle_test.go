// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"encoding/pem"
	"testing"
)

// fakeCert returns a PEM-encoded certificate with the given content.
func fakeCert(content string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(content)})
}

// bundleOf returns a bundle of certificates.
func bundleOf(contents ...string) bundle {
	var b bundle
	for _, content := range contents {
		b = append(b, fakeCert(content)...)
	}
	return b
}

func TestWithAddsACertificate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		from, want bundle
	}{
		{name: "to an empty bundle", from: nil, want: bundleOf("new")},
		{name: "and drops data that is not a certificate", from: bundle("Cg=="), want: bundleOf("new")},
		{name: "before the former one", from: bundleOf("old"), want: bundleOf("new", "old")},
		{name: "and drops all but the latest former one", from: bundleOf("old", "older"), want: bundleOf("new", "old")},
		{name: "only once", from: bundleOf("new"), want: bundleOf("new")},
		{name: "only once, and keeps the former one", from: bundleOf("new", "old"), want: bundleOf("new", "old")},
		{name: "only once, even if it is the former one", from: bundleOf("other", "new"), want: bundleOf("other", "new")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.from.with(fakeCert("new")); string(got) != string(tc.want) {
				t.Errorf("bundle =\n%s, want\n%s", got, tc.want)
			}
		})
	}
}

func TestHasFindsACertificate(t *testing.T) {
	t.Parallel()
	b := bundleOf("a", "b")
	for content, want := range map[string]bool{"a": true, "b": true, "c": false} {
		if got := b.has(fakeCert(content)); got != want {
			t.Errorf("has(%s) = %t, want %t", content, got, want)
		}
	}
	if bundle(nil).has(fakeCert("a")) {
		t.Error("has of an empty bundle = true, want false")
	}
}
