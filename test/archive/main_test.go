// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package archive tests that no error is deleted before it is in the archive, whatever happens
// to the store and to the operator. The tests start and stop operators, so they run one after
// the other.
package archive

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

var (
	seed   = flag.Uint64("archive.seed", 0, "seed of the random moments; 0 chooses a seed")
	errors = flag.Int("archive.errors", 5000, "number of errors that expire while the operator is killed")
	kills  = flag.Int("archive.kills", 3, "number of times the operator is killed")
)

// The log has errors while the store is down.
var cluster = harness.Cluster{FastControllers: true, AllowLogErrors: true}

// random chooses the moments.
var random *rand.Rand

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	fmt.Printf("random moments: -archive.seed=%d -archive.errors=%d -archive.kills=%d\n", *seed, *errors, *kills)
	random = rand.New(rand.NewPCG(*seed, *seed))
	// The credentials of the store, which the operator finds in its environment.
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(harness.Main(m, &cluster))
}

// operate runs an operator with an archive until the test ends or it is stopped, and returns its
// process. Its batches close after a second, and errors expire after a week.
func operate(t *testing.T, url string, args ...string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Operate(context.WithoutCancel(t.Context()), "operator", archiveFlags(url, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, process) })
	return process
}

func archiveFlags(url string, args ...string) []string {
	return append([]string{"--archive-url=" + url, "--archive-interval=1s", "--retention=7d", "--allow-mass-expiry"}, args...)
}

// stop stops an operator and waits until it has exited.
func stop(t *testing.T, process *controlplane.Process) {
	t.Helper()
	if err := process.Stop(); err != nil {
		t.Error(err)
	}
}
