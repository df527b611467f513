// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"time"
)

// anHourAgo returns the time an hour ago, with milliseconds.
func anHourAgo() string {
	return time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05.000Z")
}

// missing returns a problem if a command failed or its output lacks one of the wanted texts.
func missing(out string, err error, want ...string) string {
	if err != nil {
		return err.Error()
	}
	for _, text := range want {
		if !strings.Contains(out, text) {
			return "output lacks " + text + ":\n" + out
		}
	}
	return ""
}
