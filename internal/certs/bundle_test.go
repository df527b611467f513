// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"encoding/pem"
	"testing"
)

// certificate is one with some content; what it says is of no importance.
func certificate(content string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(content)})
}

// of is a bundle of certificates.
func of(contents ...string) bundle {
	var b bundle
	for _, content := range contents {
		b = append(b, certificate(content)...)
	}
	return b
}

func TestABundleIsExtendedByOne(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		from, want bundle
	}{
		{name: "none", from: nil, want: of("new")},
		{name: "what is no certificate is dropped", from: bundle("Cg=="), want: of("new")},
		{name: "the former stays", from: of("old"), want: of("new", "old")},
		{name: "the one before the former goes", from: of("old", "older"), want: of("new", "old")},
		{name: "it is there already", from: of("new"), want: of("new")},
		{name: "it is there already beside the former", from: of("new", "old"), want: of("new", "old")},
		{name: "it was the former", from: of("other", "new"), want: of("other", "new")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.from.extended(certificate("new")); string(got) != string(tc.want) {
				t.Errorf("extended to\n%s, want\n%s", got, tc.want)
			}
		})
	}
}

func TestABundleHas(t *testing.T) {
	t.Parallel()
	b := of("a", "b")
	for content, want := range map[string]bool{"a": true, "b": true, "c": false} {
		if got := b.has(certificate(content)); got != want {
			t.Errorf("has %s: %t", content, got)
		}
	}
	if bundle(nil).has(certificate("a")) {
		t.Error("nothing has something")
	}
}
