// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import "testing"

// FuzzBundle looks for a bundle that loses a CA or grows without limit. Any user with the
// right to update a caBundle may have written it.
func FuzzBundle(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(bundleOf("a")))
	f.Add([]byte(bundleOf("a", "b", "c")))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"))
	f.Add(append([]byte("text\n"), bundleOf("a")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		former := bundle(data)
		had := former.has(fakeCert("new"))
		b := former.with(fakeCert("new"))
		if !b.has(fakeCert("new")) {
			t.Fatalf("bundle = %q, want the new CA in it", b)
		}
		if n := len(b.certificates()); !had && n > 2 {
			t.Fatalf("bundle has %d certificates, want at most 2", n)
		}
		if before := former.certificates(); !had && len(before) > 0 && !b.has(before[0]) {
			t.Fatalf("bundle = %q, want the CA in use in it", b)
		}
		if again := b.with(fakeCert("new")); string(again) != string(b) {
			t.Fatalf("bundle after a second addition = %q, want %q", again, b)
		}
	})
}
