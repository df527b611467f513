// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"strings"
	"testing"
)

// raceReport returns the race detector's report for two functions.
func raceReport(reader, writer string) string {
	const separator = "==================\n"
	return separator + "WARNING: DATA RACE\nRead at 0x00c000cb8048 by goroutine 1330:\n  " + reader + "\n      file.go:1009 +0x41b\n\n" +
		"Previous write at 0x00c000cb8048 by goroutine 493:\n  " + writer + "\n      file.go:148 +0x17d6\n" + separator
}

func TestIgnoresOnlyTheLibrarysOwnRace(t *testing.T) {
	t.Parallel()
	const clone = "crypto/tls.(*Config).Clone()\n      common.go:1009 +0x41b\n  k8s.io/apiserver/pkg/server/dynamiccertificates.(*DynamicServingCertificateController).syncCerts()"
	const serve = "golang.org/x/net/http2.configureServer()\n      server.go:203 +0x4b4\n  k8s.io/apiserver/pkg/server.(*SecureServingInfo).Serve()"
	const operator = "joberror.io/operator/internal/apiserver.(*Server).Start()"
	for name, tc := range map[string]struct {
		log   string
		races int
	}{
		"no race":                        {"I1123 Serving securely\n", 0},
		"only the library's race":        {"I1123 Serving\n" + raceReport(clone, serve) + raceReport(clone, serve) + "I1123 Caches are synced\n", 0},
		"a race in the operator":         {raceReport(operator, operator), 1},
		"races with the library":         {raceReport(clone, operator) + raceReport(operator, serve), 2},
		"the library's and another race": {raceReport(clone, serve) + raceReport(operator, operator) + raceReport(clone, serve), 1},
	} {
		remaining := libraryRace.ReplaceAll([]byte(tc.log), nil)
		if got := len(crashLine.FindAll(remaining, -1)); got != tc.races {
			t.Errorf("%s: remaining races = %d, want %d, in\n%s", name, got, tc.races, strings.ReplaceAll(tc.log, "\n\n", "\n"))
		}
	}
}

func TestAnOperatorsLogMayHaveTimeoutsButNoFailures(t *testing.T) {
	t.Parallel()
	const reconciler = `E1127 controller.go:353] "Reconciler error" err="patch the JobError: `
	const forbidden = `W1127 reflector.go:561] jobs.batch is forbidden: User "operator" cannot list` + "\n"
	for name, tc := range map[string]struct {
		log string
		// all counts the problems, and always those that AllowLogErrors does not accept.
		all, always int
	}{
		"no failure":              {"I1127 Serving securely\n", 0, 0},
		"a reconciler error":      {reconciler + "admission webhook denied the request\"\n", 1, 0},
		"a missing right":         {forbidden, 1, 0},
		"a timeout of the client": {reconciler + "net/http: request canceled (Client.Timeout exceeded while awaiting headers)\"\n", 0, 0},
		"a timeout of a context":  {reconciler + "context deadline exceeded\"\n", 0, 0},
		"a timeout of etcd":       {reconciler + "etcdserver: request timed out\"\n", 0, 0},
		"another leader of etcd":  {reconciler + "etcdserver: leader changed\"\n", 0, 0},
		"a stopping operator":     {reconciler + "context canceled\"\n", 0, 0},
		"a timeout and a failure": {reconciler + "context deadline exceeded\"\n" + forbidden, 1, 0},
		"a panic after a timeout": {"panic: context deadline exceeded\n", 1, 1},
		"a secret in a timeout":   {reconciler + "context deadline exceeded: Bearer abc\"\n", 1, 1},
		"a secret and a failure":  {"I1127 Authorization: Bearer abc\n" + forbidden, 2, 1},
	} {
		if got := problems([]byte(tc.log), false); len(got) != tc.all {
			t.Errorf("%s: problems = %q, want %d", name, got, tc.all)
		}
		if got := problems([]byte(tc.log), true); len(got) != tc.always {
			t.Errorf("%s: problems with allowed errors = %q, want %d", name, got, tc.always)
		}
	}
}
