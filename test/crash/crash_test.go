// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

// killsInARound is how many kills a round is disturbed with at most.
const killsInARound = 3

func launch(t *testing.T, name string, at controlplane.Operator, args ...string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Launch(name, at, args...)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// start starts an operator that runs until the test ends and serves.
func start(t *testing.T, args ...string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Operate(t.Context(), "operator", args...)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

func ready(t *testing.T, operator *controlplane.Process) {
	t.Helper()
	if err := operator.Ready(t.Context(), cluster.At); err != nil {
		t.Fatal(err)
	}
}

func TestTheOperatorIsKilled(t *testing.T) {
	operator := start(t)
	t.Cleanup(func() { operator.Kill() })
	r := prepare(t)
	for r.struck < *kills {
		r.round(t, func(entry *joberrorv1.JobErrorResolution) {
			for range 1 + random.IntN(killsInARound) {
				r.moment(t, entry)
				operator.Kill()
				operator = launch(t, "operator", cluster.At)
				// Some are killed as they start, some at their work.
				if random.IntN(2) == 0 {
					ready(t, operator)
				}
			}
		})
	}
	r.verify(t, true)
}

func TestTheAPIServerIsKilled(t *testing.T) { killed(t, "kube-apiserver") }

func TestEtcdIsKilled(t *testing.T) { killed(t, "etcd") }

func killed(t *testing.T, part string) {
	operator := start(t)
	t.Cleanup(func() { operator.Kill() })
	r := prepare(t)
	for r.struck < few() {
		r.round(t, func(entry *joberrorv1.JobErrorResolution) {
			r.moment(t, entry)
			cluster.Process(part).Kill()
			if err := cluster.Restart(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		})
	}
	// An API server that is killed takes the end of its audit log along.
	r.verify(t, part != "kube-apiserver")
}

// Another replica takes over, whether the leader is gone or only thinks that it
// still leads.
func TestTheLeaderIsLost(t *testing.T) {
	elect := []string{"--leader-elect"}
	second, err := controlplane.PickPorts()
	if err != nil {
		t.Fatal(err)
	}
	leader, standby := start(t, elect...), (*controlplane.Process)(nil)
	t.Cleanup(func() { leader.Kill() })
	leaderAt, standbyAt := cluster.At, second
	holder := led(t, "")
	standby = launch(t, "operator-2", standbyAt, elect...)
	t.Cleanup(func() { standby.Kill() })
	r := prepare(t)
	for r.struck < few() {
		r.round(t, func(entry *joberrorv1.JobErrorResolution) {
			r.moment(t, entry)
			if r.done%2 == 0 {
				leader.Kill()
				holder = led(t, holder)
			} else {
				pause(t, leader)
				holder = led(t, holder)
				resume(t, leader)
			}
		})
		leader, standby = standby, launch(t, leader.Name, leaderAt, elect...)
		leaderAt, standbyAt = standbyAt, leaderAt
	}
	r.verify(t, true)
}

func pause(t *testing.T, process *controlplane.Process) {
	t.Helper()
	if err := process.Pause(); err != nil {
		t.Fatal(err)
	}
}

// resume lets a leader go on that was replaced meanwhile, and waits until it has
// found that out and ended.
func resume(t *testing.T, process *controlplane.Process) {
	t.Helper()
	if err := process.Resume(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-process.Done():
	case <-time.After(patience):
		t.Fatal("the old leader did not end")
	}
}

// led waits until another replica than before leads, and returns its identity.
func led(t *testing.T, before string) string {
	t.Helper()
	holder := ""
	harness.Eventually(t, func() string {
		lease := &coordinationv1.Lease{}
		if err := cluster.Client.Get(t.Context(), harness.Key("joberror-system", "joberror-operator"), lease); err != nil {
			return err.Error()
		}
		if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" || *lease.Spec.HolderIdentity == before {
			return "no other replica leads yet"
		}
		holder = *lease.Spec.HolderIdentity
		return ""
	})
	return holder
}
