// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package alerts tests the alerts for users from end to end: on an installed operator that a
// real Prometheus scrapes, with a real Alertmanager that notifies a receiver.
package alerts

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

// A killed leader leaves complaints in the log of the API server's clients.
var cluster = harness.Cluster{Installed: true, FastControllers: true, AllowLogErrors: true, Flags: []string{"--capture-grace=1s"}}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
