// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
)

const kustomization = "config/default"

// bench holds a control plane and starts and stops an operator on it.
type bench struct {
	settings
	*controlplane.Plane
	// admin has all rights. plain writes the floor as the operator's user, so that
	// the API server treats both alike.
	admin, plain client.Client
	http         *http.Client

	ports          controlplane.OperatorPorts
	metrics, pprof string
	operator       *controlplane.Process
	// reportGate is read-locked by each report of an error. A write lock blocks all
	// reports.
	reportGate sync.RWMutex
}

func startBench(ctx context.Context, s settings, dir string) (*bench, error) {
	utilruntime.Must(joberrorv1.AddToScheme(clientgoscheme.Scheme))
	b := &bench{settings: s}
	ports, err := controlplane.PickPorts()
	if err != nil {
		return nil, err
	}
	debug, err := controlplane.PickPorts()
	if err != nil {
		return nil, err
	}
	b.ports = ports
	b.metrics, b.pprof = fmt.Sprintf("127.0.0.1:%d", debug.APIPort), fmt.Sprintf("127.0.0.1:%d", debug.HealthPort)
	if b.Plane, err = controlplane.Start(ctx, controlplane.Options{Assets: s.assets, Dir: dir, Logf: logf}); err != nil {
		return nil, err
	}
	if err := b.connect(ctx); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

func (b *bench) connect(ctx context.Context) error {
	if err := errors.Join(b.Install(ctx, kustomization, b.ports), b.installFloor(ctx)); err != nil {
		return err
	}
	config := b.Config()
	config.QPS = -1
	_, own, err := b.KubeconfigFor("plain.kubeconfig", attribution.OperatorUser, controlplane.OperatorGroups...)
	if err != nil {
		return err
	}
	var errs [3]error
	b.admin, errs[0] = client.New(config, client.Options{})
	b.plain, errs[1] = client.New(own, client.Options{Scheme: floorScheme()})
	b.http, errs[2] = rest.HTTPClientFor(config)
	return errors.Join(errs[:]...)
}

func (b *bench) stop() error { return errors.Join(b.stopOperator(), b.Stop()) }

// launch starts an operator and returns the time when it became ready.
func (b *bench) launch(ctx context.Context, more ...string) (time.Time, error) {
	var err error
	flags := []string{
		fmt.Sprintf("--concurrency=%d", b.inFlight), "--allow-mass-expiry", "--metrics-bind-address=" + b.metrics, "--metrics-insecure", "--pprof-bind-address=" + b.pprof,
		// The jobs of the benchmark have more errors than are kept by default.
		"--max-errors-per-job=0", "--max-errors-per-namespace=0",
	}
	b.operator, err = b.LaunchOperator("operator", b.settings.operator, b.ports, append(flags, more...)...)
	if err == nil {
		err = b.operator.WaitReady(ctx, b.ports)
	}
	return time.Now(), err
}

// ensureOperator starts an operator if none runs, and waits until it serves.
func (b *bench) ensureOperator(ctx context.Context) error {
	if b.operator != nil {
		return nil
	}
	if _, err := b.launch(ctx); err != nil {
		return err
	}
	return b.WaitServing(ctx, b.operator)
}

// stopOperator stops the operator if it runs.
func (b *bench) stopOperator() error {
	if b.operator == nil {
		return nil
	}
	defer func() { b.operator = nil }()
	return b.operator.Stop()
}

// forEach calls f for every number below n, with up to inFlight calls at the same
// time, and returns how long that took.
func (b *bench) forEach(ctx context.Context, n int, f func(ctx context.Context, i int) error) (time.Duration, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.inFlight)
	for i := range n {
		group.Go(func() error { return f(ctx, i) })
	}
	err := group.Wait()
	return time.Since(began), err
}

// namespace creates a namespace, and a Job in it if job is not empty.
func (b *bench) namespace(ctx context.Context, prefix, job string) (*corev1.Namespace, *batchv1.Job, error) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}
	if err := b.admin.Create(ctx, ns); err != nil || job == "" {
		return ns, nil, err
	}
	j, err := b.job(ctx, ns.Name, job)
	return ns, j, err
}

// job creates a Job that never runs a pod.
func (b *bench) job(ctx context.Context, namespace, name string) (*batchv1.Job, error) {
	job := suspended(namespace, name)
	return job, b.admin.Create(ctx, job)
}

func suspended(namespace, name string) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: batchv1.JobSpec{
			Suspend: ptr.To(true),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "busybox"}},
			}},
		},
	}
}

// jobError returns an error like those that a data pipeline reports.
func jobError(namespace, job string, i int) *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%06d", job, i)},
		Spec: joberrorv1.JobErrorSpec{
			JobID: job, Code: "invalid_value", Source: "warehouse",
			Extract: "order.total", Generate: "amount", Extracted: fmt.Sprintf("12,%d", i), Generated: "null",
			Message: fmt.Sprintf("row %d: the value of order.total is not a number: it has a comma instead of a decimal point", i),
		},
	}
}

// reportErrors creates n errors of a job.
func (b *bench) reportErrors(ctx context.Context, namespace, job string, n int, options ...func(*joberrorv1.JobError)) error {
	_, err := b.forEach(ctx, n, func(ctx context.Context, i int) error {
		je := jobError(namespace, job, i)
		for _, f := range options {
			f(je)
		}
		b.reportGate.RLock()
		defer b.reportGate.RUnlock()
		return b.admin.Create(ctx, je)
	})
	return err
}
