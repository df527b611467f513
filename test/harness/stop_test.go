// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"strings"
	"testing"
)

// race is what the race detector says of two functions.
func race(reader, writer string) string {
	const rule = "==================\n"
	return rule + "WARNING: DATA RACE\nRead at 0x00c000cb8048 by goroutine 1330:\n  " + reader + "\n      file.go:1009 +0x41b\n\n" +
		"Previous write at 0x00c000cb8048 by goroutine 493:\n  " + writer + "\n      file.go:148 +0x17d6\n" + rule
}

func TestNoRaceButTheLibrarysOwnIsPassedOver(t *testing.T) {
	t.Parallel()
	const clone = "crypto/tls.(*Config).Clone()\n      common.go:1009 +0x41b\n  k8s.io/apiserver/pkg/server/dynamiccertificates.(*DynamicServingCertificateController).syncCerts()"
	const serve = "golang.org/x/net/http2.configureServer()\n      server.go:203 +0x4b4\n  k8s.io/apiserver/pkg/server.(*SecureServingInfo).Serve()"
	const other = "joberror.io/operator/internal/apiserver.(*Server).Start()"
	for name, tc := range map[string]struct {
		log   string
		races int
	}{
		"none":             {"I1123 Serving securely\n", 0},
		"the library's":    {"I1123 Serving\n" + race(clone, serve) + race(clone, serve) + "I1123 Caches are synced\n", 0},
		"of ours":          {race(other, other), 1},
		"with the library": {race(clone, other) + race(other, serve), 2},
		"both":             {race(clone, serve) + race(other, other) + race(clone, serve), 1},
	} {
		left := starting.ReplaceAll([]byte(tc.log), nil)
		if got := len(alarming.FindAll(left, -1)); got != tc.races {
			t.Errorf("%s: %d races are left, want %d, of\n%s", name, got, tc.races, strings.ReplaceAll(tc.log, "\n\n", "\n"))
		}
	}
}
