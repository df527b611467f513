// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"time"
)

// recently is a time of an hour ago, with milliseconds.
func recently() string {
	return time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05.000Z")
}

// missing tells which of the wanted texts are not in the output.
func missing(out string, err error, want ...string) string {
	if err != nil {
		return err.Error()
	}
	for _, text := range want {
		if !strings.Contains(out, text) {
			return "no " + text + " in:\n" + out
		}
	}
	return ""
}
