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

// lease is a lock that only returns its record.
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
		"a replica that has just started": {"other", 0, 27},
		"a replica that is still new":     {"other", newFor - time.Second, 27},
		"a replica that is no longer new": {"other", newFor, 15},
		"a lease without a holder":        {"", 0, 15},
		"a replica that holds the lease":  {"me", 0, 15},
	} {
		clock := testingclock.NewFakePassiveClock(started.Add(tc.after))
		lock := &headStartLock{clock: clock, newUntil: started.Add(newFor), Interface: lease{
			record: resourcelock.LeaderElectionRecord{HolderIdentity: tc.holder, LeaseDurationSeconds: 15},
		}}
		record, raw, err := lock.Get(t.Context())
		if err != nil || record.LeaseDurationSeconds != tc.want || string(raw) != "raw" {
			t.Errorf("%s: Get = %+v, %s, %v, want a duration of %d seconds", name, record, raw, err, tc.want)
		}
	}
	errRefused := errors.New("refused")
	if _, _, err := (&headStartLock{Interface: lease{err: errRefused}, clock: testingclock.NewFakePassiveClock(started)}).Get(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("Get = %v, want %v", err, errRefused)
	}
}

// The timeout and the user agent are only for requests for the lease.
func TestTheLockDoesNotChangeTheSharedConfig(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: "https://127.0.0.1:1"}
	if _, err := NewLock(config, runtime.NewScheme(), "joberror-system", "joberror-operator"); err != nil {
		t.Fatal(err)
	}
	if config.Timeout != 0 || config.UserAgent != "" {
		t.Errorf("Timeout = %s, UserAgent = %q, want neither set", config.Timeout, config.UserAgent)
	}
}
