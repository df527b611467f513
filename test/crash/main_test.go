// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package crash kills the operator, the API server and etcd at random moments of a bulk
// resolve, and of retries. "make crash" kills them many times, the test suite a few times.
package crash

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var (
	seed       = flag.Uint64("crash.seed", 0, "seed of the random moments; 0 chooses a seed")
	kills      = flag.Int("crash.kills", 3, "number of times the operator is killed while it works; the other parts are killed a fifth as often, but at least once")
	retryCount = flag.Int("crash.retries", 20, "number of Jobs to retry")
	errorCount = flag.Int("crash.errors", 300, "number of errors to resolve")
)

var cluster = harness.Cluster{AllowLogErrors: true}

// random chooses the moments.
var random *rand.Rand

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	fmt.Printf("random moments: -crash.seed=%d -crash.kills=%d -crash.errors=%d -crash.retries=%d\n", *seed, *kills, *errorCount, *retryCount)
	random = rand.New(rand.NewPCG(*seed, *seed))
	os.Exit(harness.Main(m, &cluster))
}

// fewerKills returns how many times to kill the parts that take longer to restart.
func fewerKills() int { return max(1, *kills/5) }
