// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package probes

import "testing"

func TestCachesAreReadyAfterTheStart(t *testing.T) {
	t.Parallel()
	synced := make(cachesSynced)
	if synced.check(nil) == nil {
		t.Error("check before Start = nil, want an error")
	}
	if err := synced.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := synced.check(nil); err != nil {
		t.Errorf("check after Start = %v, want nil", err)
	}
}

func TestEveryReplicaHasCaches(t *testing.T) {
	t.Parallel()
	if make(cachesSynced).NeedLeaderElection() {
		t.Error("NeedLeaderElection = true, want false")
	}
}
