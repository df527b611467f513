// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package crash kills the operator, the API server and etcd at random moments
// of a bulk resolve. "make crash" does so many times; the test suite, a few.
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
	seed   = flag.Uint64("crash.seed", 0, "seed of the random moments; 0 picks one")
	kills  = flag.Int("crash.kills", 3, "how often the operator is killed while it works; the other parts are killed a fifth as often, once at least")
	errors = flag.Int("crash.errors", 300, "how many errors are resolved")
)

var cluster = harness.Cluster{Rough: true}

// random picks the moments.
var random *rand.Rand

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	fmt.Printf("random moments: -crash.seed=%d -crash.kills=%d -crash.errors=%d\n", *seed, *kills, *errors)
	random = rand.New(rand.NewPCG(*seed, *seed))
	os.Exit(harness.Main(m, &cluster))
}

// few is how often the parts that are dearer to restart are killed.
func few() int { return max(1, *kills/5) }
