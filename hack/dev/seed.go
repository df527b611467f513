// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/hack/seed"
)

// inFlight limits the writes at the same time.
const inFlight = 16

// seedSamples adds n errors of many workloads, with their namespaces and CronJobs.
func seedSamples(ctx context.Context, plane *controlplane.Plane, n int) (err error) {
	c, err := client.New(plane.Config(), client.Options{})
	if err != nil {
		return err
	}
	namespaces, err := createWorkloads(ctx, c)
	if err != nil {
		return fmt.Errorf("create the samples' workloads: %w", err)
	}
	store, err := seed.Open(plane.Etcd())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	generator := newGenerator(time.Now(), namespaces)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	step := max(n/10, 1)
	var written atomic.Int64
	for range n {
		je := generator.next()
		group.Go(func() error {
			if err := store.PutObject(ctx, je); err != nil {
				return fmt.Errorf("write sample %s: %w", je.Name, err)
			}
			if done := int(written.Add(1)); done%step == 0 || done == n {
				logf("wrote %d of %d sample errors", done, n)
			}
			return nil
		})
	}
	return group.Wait()
}

// createWorkloads creates the namespaces and the suspended CronJobs of the workloads. It returns
// the UIDs of the namespaces.
func createWorkloads(ctx context.Context, c client.Client) (map[string]types.UID, error) {
	uids := map[string]types.UID{}
	for _, w := range workloads {
		if _, ok := uids[w.namespace]; !ok {
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
			if err := c.Create(ctx, ns); err != nil && !apierrors.IsAlreadyExists(err) {
				return nil, err
			}
			if err := c.Get(ctx, client.ObjectKeyFromObject(ns), ns); err != nil {
				return nil, err
			}
			uids[w.namespace] = ns.UID
		}
		if w.every == 0 {
			continue
		}
		if err := c.Create(ctx, cronJob(w)); err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, err
		}
	}
	return uids, nil
}

// cronJob returns the CronJob of a workload, suspended, so that a person decides what runs.
func cronJob(w workload) *batchv1.CronJob {
	schedule := "0 * * * *"
	if hours := int(w.every.Hours()); hours > 1 {
		schedule = fmt.Sprintf("0 */%d * * *", hours)
		if hours >= 24 {
			schedule = "0 0 * * *"
		}
	}
	return &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.name},
		Spec: batchv1.CronJobSpec{
			Schedule: schedule, Suspend: ptr.To(true),
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "main", Image: "busybox"}},
			}}}},
		},
	}
}
