// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	testingclock "k8s.io/utils/clock/testing"
)

// lease is a lock that only answers who holds it.
type lease struct {
	resourcelock.Interface
	record resourcelock.LeaderElectionRecord
	err    error
}

func (l lease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return &l.record, []byte("raw"), l.err
}

func (lease) Identity() string { return "me" }

func TestANewReplicaGivesOthersAHeadStart(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 11, 5, 10, 15, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		holder string
		after  time.Duration
		want   int
	}{
		"just started":            {"other", 0, 21},
		"still new":               {"other", newFor - time.Second, 21},
		"not new any more":        {"other", newFor, 15},
		"when the lease is free":  {"", 0, 15},
		"when it leads by itself": {"me", 0, 15},
	} {
		clock := testingclock.NewFakePassiveClock(started.Add(tc.after))
		lock := &patient{clock: clock, newUntil: started.Add(newFor), Interface: lease{
			record: resourcelock.LeaderElectionRecord{HolderIdentity: tc.holder, LeaseDurationSeconds: 15},
		}}
		record, raw, err := lock.Get(t.Context())
		if err != nil || record.LeaseDurationSeconds != tc.want || string(raw) != "raw" {
			t.Errorf("%s: %+v, %s, %v; want %d seconds", name, record, raw, err, tc.want)
		}
	}
	refused := errors.New("refused")
	if _, _, err := (&patient{Interface: lease{err: refused}, clock: testingclock.NewFakePassiveClock(started)}).Get(t.Context()); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

// The timeout and the user agent are of the requests for the lease alone.
func TestTheLockLeavesTheConfigurationOfOthersAlone(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: "https://127.0.0.1:1"}
	if _, err := NewLock(config, runtime.NewScheme(), "joberror-system", "joberror-operator"); err != nil {
		t.Fatal(err)
	}
	if config.Timeout != 0 || config.UserAgent != "" {
		t.Errorf("the configuration has the timeout %s and the user agent %q", config.Timeout, config.UserAgent)
	}
}
