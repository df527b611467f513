// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import "testing"

// FuzzBundle looks for a bundle, which anybody with the right may have written,
// that loses a CA or grows without end.
func FuzzBundle(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(of("a")))
	f.Add([]byte(of("a", "b", "c")))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"))
	f.Add(append([]byte("text\n"), of("a")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		former := bundle(data)
		had := former.has(certificate("new"))
		b := former.extended(certificate("new"))
		if !b.has(certificate("new")) {
			t.Fatalf("the new CA is not in %q", b)
		}
		if n := len(b.blocks()); !had && n > 2 {
			t.Fatalf("%d certificates are trusted", n)
		}
		if before := former.blocks(); !had && len(before) > 0 && !b.has(before[0]) {
			t.Fatalf("the CA in use is not in %q any more", b)
		}
		if again := b.extended(certificate("new")); string(again) != string(b) {
			t.Fatalf("%q is extended again, to %q", b, again)
		}
	})
}
