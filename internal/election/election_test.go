// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lease is a lock that only returns its record.
type lease struct {
	resourcelock.Interface
	record resourcelock.LeaderElectionRecord
	err    error
}

func (l *lease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record := l.record
	return &record, []byte("raw"), l.err
}

func (*lease) Identity() string { return "me" }

// held returns a lease that was renewed at this second.
func held(holder string, renewed int64) resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: holder, RenewTime: metav1.Unix(renewed, 0), LeaseDurationSeconds: 15}
}

func TestANewReplicaGivesOthersAHeadStart(t *testing.T) {
	t.Parallel()
	type records = []resourcelock.LeaderElectionRecord
	for name, tc := range map[string]struct {
		seen records
		want []int
	}{
		"a leader that died before":      {records{held("other", 1), held("other", 1), held("other", 1)}, []int{27, 27, 27}},
		"a leader that was alive":        {records{held("other", 1), held("other", 3), held("other", 3)}, []int{27, 15, 15}},
		"a leader that followed another": {records{held("other", 1), held("third", 1), held("third", 1)}, []int{27, 15, 15}},
		"a leader that began to lead":    {records{held("", 0), held("other", 1), held("other", 1)}, []int{15, 15, 15}},
		"a lease without a holder":       {records{held("other", 1), held("", 1)}, []int{27, 15}},
		"a replica that holds the lease": {records{held("me", 1), held("me", 3)}, []int{15, 15}},
		"a replica that lost the lease":  {records{held("me", 1), held("other", 3), held("other", 3)}, []int{15, 15, 15}},
	} {
		inner := &lease{}
		lock := &headStartLock{Interface: inner}
		for i, record := range tc.seen {
			inner.record = record
			got, raw, err := lock.Get(t.Context())
			if err != nil || got.LeaseDurationSeconds != tc.want[i] || string(raw) != "raw" {
				t.Errorf("%s: Get %d = %+v, %s, %v, want a duration of %d seconds", name, i, got, raw, err, tc.want[i])
			}
		}
	}
	errRefused := errors.New("refused")
	if _, _, err := (&headStartLock{Interface: &lease{err: errRefused}}).Get(t.Context()); !errors.Is(err, errRefused) {
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
