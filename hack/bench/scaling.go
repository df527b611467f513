// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// scalingSizes are the numbers of objects whose cost is compared. It must not grow faster
// than they do.
var scalingSizes = [...]int{2000, 10000}

// listSamples is how often the summaries are requested.
const listSamples = 20

// scaled holds the time of the same work for each of scalingSizes.
type scaled struct {
	name string
	took []time.Duration
}

// scaling measures work that depends on how many objects a Job or a namespace has.
func (b *bench) scaling(ctx context.Context, r *results) error {
	for _, work := range []struct {
		name    string
		measure func(context.Context) ([]time.Duration, error)
	}{
		{"pods of one Job wait for an image: CPU time of the operator from the first pod until it has recorded the failure of the last", b.waitingPods},
		{"Jobs in a namespace have an error each: GET of their summaries, p50", b.listJobs},
	} {
		took, err := work.measure(ctx)
		if err != nil {
			return err
		}
		r.scaled = append(r.scaled, scaled{work.name, took})
	}
	return nil
}

// waitingPods creates pods of one Job whose image cannot be pulled.
func (b *bench) waitingPods(ctx context.Context) ([]time.Duration, error) {
	var took []time.Duration
	for _, n := range scalingSizes {
		logf("%d pods of one Job wait", n)
		ns, _, err := b.namespace(ctx, "waiting", "")
		if err != nil {
			return nil, err
		}
		if err := b.ensureOperator(ctx); err != nil {
			return nil, err
		}
		used, err := b.cpuTime(ctx, func() error { return b.createWaiting(ctx, ns.Name, n) })
		if err != nil {
			return nil, err
		}
		took = append(took, used)
		if err := errors.Join(b.stopOperator(), b.deleteJobs(ctx, ns.Name)); err != nil {
			return nil, err
		}
	}
	return took, nil
}

// createWaiting creates a Job with n waiting pods, and waits until one error has counted
// them all.
func (b *bench) createWaiting(ctx context.Context, namespace string, n int) error {
	job := unmanaged(namespace, "import")
	if err := b.admin.Create(ctx, job); err != nil {
		return err
	}
	_, err := b.forEach(ctx, n, func(ctx context.Context, i int) error {
		pod := podOf(job)
		pod.Name = fmt.Sprintf("%s-%d", job.Name, i)
		if err := b.admin.Create(ctx, pod); err != nil {
			return err
		}
		pod.Status.Phase = corev1.PodPending
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "main", Image: "busybox",
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: `Back-off pulling image "busybox"`}},
		}}
		return b.admin.Status().Update(ctx, pod)
	})
	if err != nil {
		return err
	}
	_, err = b.waitIdle(ctx, b.allMatch(namespace, "", 1, func(je *joberrorv1.JobError) bool { return int(je.Status.Occurrences) == n }))
	return err
}

// cpuTime returns how much CPU time the operator uses while f runs.
func (b *bench) cpuTime(ctx context.Context, f func() error) (time.Duration, error) {
	const cpu = "process_cpu_seconds_total"
	before, err := b.operatorMetrics(ctx, cpu)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := b.operatorMetrics(ctx, cpu)
	if err != nil {
		return 0, err
	}
	return time.Duration((after.sum(cpu) - before.sum(cpu)) * float64(time.Second)), nil
}

// listJobs times requests for the summaries of Jobs that have an error each.
func (b *bench) listJobs(ctx context.Context) ([]time.Duration, error) {
	seeder, err := b.newSeeder(ctx, true)
	if err != nil {
		return nil, err
	}
	defer seeder.close()
	var took []time.Duration
	for _, n := range scalingSizes {
		if err := errors.Join(b.stopOperator(), seeder.fill(ctx, n)); err != nil {
			return nil, err
		}
		if err := b.ensureOperator(ctx); err != nil {
			return nil, err
		}
		var list latency
		for range listSamples {
			if err := list.measure(func() error { return b.getJobs(ctx, seeder.namespace) }); err != nil {
				return nil, err
			}
		}
		took = append(took, list.percentile(50))
	}
	return took, b.stopOperator()
}

// getJobs requests the summaries of all Jobs in a namespace.
func (b *bench) getJobs(ctx context.Context, namespace string) error {
	body, err := get(ctx, b.http, fmt.Sprintf("%s/apis/resolve.joberror.io/v1/namespaces/%s/jobs", b.Config().Host, namespace))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body)
	return errors.Join(err, body.Close())
}
