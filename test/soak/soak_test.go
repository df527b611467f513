// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/test/soak/growth"
	"joberror.io/operator/test/soak/ledger"
)

const (
	// minRounds is how many rounds of each kind there are at least: with and without kills
	// of the operator. A comparison needs two rounds without.
	minRoundsWithKills, minRoundsWithout = 1, 2
	// maxExtraRounds limits the rounds that are added because a replica ended on its own.
	maxExtraRounds = 3
	// Limits of how long the load of a round runs.
	minLoad, maxLoad = 15 * time.Second, time.Minute
)

// soak is a run of the test.
type soak struct {
	client client.Client
	rest   rest.Interface
	ledger *ledger.Ledger
	tally  *tally
	growth growth.Growth
	began  time.Time

	// vanishing is read-locked while there are Jobs that vanish as soon as they fail, and
	// write-locked while a failure of such a Job could not be seen by any replica.
	vanishing sync.RWMutex
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	config := cluster.Config()
	config.QPS = -1
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &soak{client: c, rest: set.RESTClient(), ledger: ledger.New(), tally: newTally(), growth: growth.Growth{}, began: time.Now()}
}

// In the first half of the time, all parts are killed. In the second half, the replicas of
// the operator run on, so that their growth shows.
func TestSoak(t *testing.T) {
	s := newSoak(t)
	s.printProgress(t)
	rounds, without := 0, 0
	for time.Since(s.began) < *duration/2 || rounds < minRoundsWithKills {
		rounds++
		s.round(t, rounds, everyPart)
	}
	// The last kill of a replica was in an earlier round.
	for time.Since(s.began) < *duration || without < minRoundsWithout ||
		!s.growth.Comparable() && without < minRoundsWithout+maxExtraRounds {
		rounds++
		without++
		s.round(t, rounds, controlPlaneParts)
	}
	for _, problem := range s.growth.Problems() {
		t.Error(problem)
	}
	t.Logf("%d rounds: %s", rounds, s.tally)
	t.Log(s.growth)
}

// round runs the load and the faults of a round, waits until the errors are as expected, and
// deletes everything.
func (s *soak) round(t *testing.T, number int, parts []string) {
	t.Helper()
	load := min(max(*duration/8, minLoad), maxLoad)
	r := &round{soak: s, number: number, ends: time.Now().Add(load)}
	if err := r.run(t.Context(), parts); err != nil {
		t.Fatalf("round %d of -soak.seed=%d: %v", number, *seed, err)
	}
	measured, err := s.measure(t.Context(), number)
	if err != nil {
		t.Fatalf("measure the operator after round %d: %v", number, err)
	}
	s.growth.Add(measured)
}

// printProgress prints the progress once a minute until the test ends.
func (s *soak) printProgress(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var printing sync.WaitGroup
	t.Cleanup(func() { cancel(); printing.Wait() })
	printing.Go(func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				fmt.Printf("%s: %s\n", time.Since(s.began).Round(time.Second), s.tally)
			}
		}
	})
}

// firstOf joins the first lines of a list, and says how many there are.
func firstOf(lines []string) string {
	const most = 10
	text := strings.Join(lines[:min(most, len(lines))], "\n")
	if len(lines) > most {
		text += fmt.Sprintf("\nand %d more", len(lines)-most)
	}
	return text
}
