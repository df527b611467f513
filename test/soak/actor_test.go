// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// maxPause limits the pause of an actor between two pieces of work.
const maxPause = 2 * time.Second

// load does one piece of work, and enters what must follow from it in the ledger.
type load func(ctx context.Context, a *actor) error

// loads holds the kinds of load, and how many actors carry each one out at the same time.
var loads = []struct {
	name   string
	actors int
	do     load
}{
	{"cronjobs", 2, failCronJob},
	{"schedule", 1, failOnSchedule},
	{"retries", 2, failWithRetries},
	{"vanishing", 2, failAndVanish},
	{"reports", 2, report},
	{"resolves", 2, resolveAndReopen},
	{"namespaces", 1, deleteNamespace},
}

// actor carries out one kind of load. Its random choices follow from the seed, the round and
// its name only. How many of them it makes depends on how fast the system is.
type actor struct {
	*round
	name   string
	random *rand.Rand
	// pieces and flips count what the actor did. They are part of the names of its objects.
	pieces, flips int
}

func newActor(r *round, name string) *actor {
	return &actor{round: r, name: name, random: newRandom(r.number, name)}
}

// newRandom returns the random choices for a round and a name.
func newRandom(round int, name string) *rand.Rand {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%d/%s", round, name)
	return rand.New(rand.NewPCG(*seed, hash.Sum64()))
}

// work does piece after piece until the load of the round ends.
func (a *actor) work(ctx context.Context, do load) error {
	for ; a.loadRuns(); a.pieces++ {
		if err := do(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", a.object(""), err)
		}
		if err := pause(ctx, time.Duration(a.random.Int64N(int64(maxPause)))); err != nil {
			return err
		}
	}
	return nil
}

// namespace chooses a namespace of the round.
func (a *actor) namespace() string { return a.namespaces[a.random.IntN(len(a.namespaces))] }

// object returns the name of an object that only the current piece of work uses.
func (a *actor) object(suffix string) string { return fmt.Sprintf("%s-%d%s", a.name, a.pieces, suffix) }

// maybe returns true half of the time.
func (a *actor) maybe() bool { return a.random.IntN(2) == 0 }

// between returns a random number from low to high.
func (a *actor) between(low, high int) int { return low + a.random.IntN(high-low+1) }

// some returns at least one of several choices.
func some[T any](a *actor, all []T) []T {
	var chosen []T
	for _, i := range a.random.Perm(len(all))[:a.between(1, len(all))] {
		chosen = append(chosen, all[i])
	}
	return chosen
}

// pause waits for some time, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
