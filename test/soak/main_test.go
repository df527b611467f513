// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package soak puts a mixed load on the operator while the parts of the system are killed,
// and checks that every failure, report and request had its effect exactly once, and that
// the operator does not grow. "make soak" runs for an hour, the test suite for two minutes.
package soak

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"joberror.io/operator/test/harness"
)

var (
	seed     = flag.Uint64("soak.seed", 0, "seed of the random choices; 0 chooses a seed")
	duration = flag.Duration("soak.duration", time.Minute, "how long the rounds take at least; there are three or more, whatever the duration is")
)

// The metrics and the profiles of each replica are served on loopback, to this test.
var cluster = harness.Cluster{
	Installed: true, FastControllers: true, AllowLogErrors: true,
	Flags: []string{"--metrics-insecure", "--pprof-bind-address=127.0.0.1:0"},
}

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	fmt.Printf("random choices: -soak.seed=%d -soak.duration=%s\n", *seed, *duration)
	os.Exit(harness.Main(m, &cluster))
}
