// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// Parts that are killed.
const (
	leaderPart      = "leader"
	standbyPart     = "standby"
	allReplicasPart = "all replicas"
)

var (
	controlPlaneParts = []string{"kube-apiserver", "etcd", "kube-controller-manager"}
	everyPart         = append([]string{leaderPart, standbyPart, allReplicasPart}, controlPlaneParts...)
)

// breakParts kills one part after the other, in random order and with random pauses, until
// the load ends.
func (r *round) breakParts(ctx context.Context, parts []string) error {
	random := newRandom(r.number, "faults")
	var next []int
	for {
		if err := pause(ctx, time.Second+time.Duration(random.Int64N(int64(5*time.Second)))); err != nil {
			return err
		}
		if !r.loadRuns() {
			return nil
		}
		if len(next) == 0 {
			next = random.Perm(len(parts))
		}
		part := parts[next[0]]
		next = next[1:]
		if err := r.breakPart(ctx, part); err != nil {
			return fmt.Errorf("kill %s: %w", part, err)
		}
		r.tally.add("killed "+part, 1)
	}
}

// breakPart kills a part and waits until everything works again.
func (r *round) breakPart(ctx context.Context, part string) error {
	if losesWatches := part == allReplicasPart || part == "kube-apiserver" || part == "etcd"; losesWatches {
		r.vanishing.Lock()
		defer r.vanishing.Unlock()
	}
	if slices.Contains(controlPlaneParts, part) {
		cluster.Process(part).Kill()
		if err := cluster.Restart(ctx, part); err != nil {
			return err
		}
		if _, err := r.awaitReplicas(ctx, nil); err != nil {
			return err
		}
		if err := r.awaitWatches(ctx); err != nil {
			return err
		}
		return r.nudgePods(ctx)
	}
	return r.killReplicas(ctx, part)
}

// awaitWatches waits until the leader sees the pods again: its watches come back later than
// the API server. The Job that shows it has a namespace of its own. If only its errors were
// deleted, a standby whose watches were late could record them again when it leads.
func (s *soak) awaitWatches(ctx context.Context) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "canary-" + rand.String(5)}}
	err := until(ctx, "create a Job", func(ctx context.Context) error {
		for _, obj := range []client.Object{ns.DeepCopy(), harness.Job(ns.Name, "canary", harness.Failing("7"))} {
			if err := s.client.Create(ctx, obj); client.IgnoreAlreadyExists(err) != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = until(ctx, "wait until the leader sees pods", func(ctx context.Context) error {
		var list joberrorv1.JobErrorList
		if err := s.client.List(ctx, &list, client.InNamespace(ns.Name)); err != nil {
			return err
		}
		if len(list.Items) < 2 {
			return fmt.Errorf("%d of 2 errors are recorded", len(list.Items))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return until(ctx, "delete the namespace of the Job", func(ctx context.Context) error {
		return client.IgnoreNotFound(s.client.Delete(ctx, ns.DeepCopy()))
	})
}

// nudgePods changes every pod that has not ended, so that kwok looks at it again. kwok does
// not repeat a write that fails: if the API server is killed before it answers the pod's last
// status, the pod runs forever.
func (s *soak) nudgePods(ctx context.Context) error {
	return until(ctx, "annotate the pods that have not ended", func(ctx context.Context) error {
		var pods corev1.PodList
		if err := s.client.List(ctx, &pods, client.HasLabels{batchv1.JobNameLabel}); err != nil {
			return err
		}
		for i := range pods.Items {
			if phase := pods.Items[i].Status.Phase; phase == corev1.PodSucceeded || phase == corev1.PodFailed {
				continue
			}
			nudge := harness.MergePatch(fmt.Sprintf(`{"metadata":{"annotations":{"soak/nudged":%q}}}`, time.Now()))
			if err := s.client.Patch(ctx, &pods.Items[i], nudge); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
		return nil
	})
}

// killReplicas kills one or all replicas of the operator.
func (r *round) killReplicas(ctx context.Context, part string) error {
	replicas, err := r.awaitReplicas(ctx, nil)
	if err != nil {
		return err
	}
	var killed []int
	for _, replica := range replicas {
		if part == allReplicasPart || replica.leads() == (part == leaderPart) {
			replica.process.Kill()
			killed = append(killed, replica.process.PID())
		}
	}
	if _, err := r.awaitReplicas(ctx, killed); err != nil {
		return err
	}
	if part != allReplicasPart {
		// The other replica has seen what failed, and the next kill must wait until that
		// is recorded.
		r.awaitVanished()
	}
	return nil
}

// awaitVanished waits until the failures of Jobs that vanish are recorded.
func (s *soak) awaitVanished() {
	s.vanishing.Lock()
	defer s.vanishing.Unlock()
}

// awaitReplicas waits until every killed replica is replaced, all replicas are ready, one of
// them leads, and the aggregated API is available.
func (s *soak) awaitReplicas(ctx context.Context, killed []int) ([]replica, error) {
	var replicas []replica
	err := until(ctx, "wait for the replicas", func(ctx context.Context) (err error) {
		if replicas, err = s.replicas(ctx); err != nil {
			return err
		}
		if slices.ContainsFunc(replicas, func(r replica) bool { return slices.Contains(killed, r.process.PID()) }) {
			return errors.New("a killed replica is still there")
		}
		if !slices.ContainsFunc(replicas, replica.leads) {
			return errors.New("no replica leads")
		}
		return s.rest.Get().AbsPath("/apis/resolve.joberror.io/v1").Do(ctx).Error()
	})
	return replicas, err
}
