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

// maxKillsPerRound limits the kills in one round.
const maxKillsPerRound = 3

// launch starts an operator and does not wait until it serves.
func launch(t *testing.T, name string, at controlplane.OperatorPorts, args ...string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Launch(name, at, args...)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// start starts an operator that runs until the test ends, and waits until it serves.
func start(t *testing.T, args ...string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Operate(t.Context(), "operator", args...)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// waitReady waits until an operator is ready.
func waitReady(t *testing.T, operator *controlplane.Process) {
	t.Helper()
	if err := operator.WaitReady(t.Context(), cluster.Ports); err != nil {
		t.Fatal(err)
	}
}

func TestSurvivesOperatorKills(t *testing.T) {
	operator := start(t)
	t.Cleanup(func() { operator.Kill() })
	r := prepare(t)
	for r.hits < *kills {
		r.round(t, func(jer *joberrorv1.JobErrorResolution) {
			for range 1 + random.IntN(maxKillsPerRound) {
				r.moment(t, jer)
				operator.Kill()
				operator = launch(t, "operator", cluster.Ports)
				// Kill some operators while they start, and some while they work.
				if random.IntN(2) == 0 {
					waitReady(t, operator)
				}
			}
		})
	}
	r.verify(t, true)
}

func TestSurvivesAPIServerKills(t *testing.T) { testKills(t, "kube-apiserver") }

func TestSurvivesEtcdKills(t *testing.T) { testKills(t, "etcd") }

// testKills kills a part of the control plane at random moments of the rounds.
func testKills(t *testing.T, part string) {
	operator := start(t)
	t.Cleanup(func() { operator.Kill() })
	r := prepare(t)
	for r.hits < fewerKills() {
		r.round(t, func(jer *joberrorv1.JobErrorResolution) {
			r.moment(t, jer)
			cluster.Process(part).Kill()
			if err := cluster.Restart(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		})
	}
	// A killed API server loses the end of its audit log.
	r.verify(t, part != "kube-apiserver")
}

// Another replica takes over, both from a leader that is killed and from one that is
// paused and still believes it leads.
func TestSurvivesTheLossOfTheLeader(t *testing.T) {
	elect := []string{"--leader-elect"}
	second, err := controlplane.PickPorts()
	if err != nil {
		t.Fatal(err)
	}
	leader, standby := start(t, elect...), (*controlplane.Process)(nil)
	t.Cleanup(func() { leader.Kill() })
	leaderAt, standbyAt := cluster.Ports, second
	holder := awaitLeader(t, "")
	standby = launch(t, "operator-2", standbyAt, elect...)
	t.Cleanup(func() { standby.Kill() })
	r := prepare(t)
	for r.hits < fewerKills() {
		r.round(t, func(jer *joberrorv1.JobErrorResolution) {
			r.moment(t, jer)
			if r.number%2 == 0 {
				leader.Kill()
				holder = awaitLeader(t, holder)
			} else {
				pause(t, leader)
				holder = awaitLeader(t, holder)
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

// resume resumes a paused leader that was replaced, and waits until it notices and
// exits.
func resume(t *testing.T, process *controlplane.Process) {
	t.Helper()
	if err := process.Resume(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-process.Done():
	case <-time.After(roundTimeout):
		t.Fatal("the old leader did not exit")
	}
}

// awaitLeader waits until a replica other than before leads, and returns its identity.
func awaitLeader(t *testing.T, before string) string {
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
