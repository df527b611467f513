// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// routedOn is how long a Service leads to a pod that is being deleted: it
	// takes a moment until every node knows.
	routedOn = time.Second
	// restartAfter is how long the kubelet waits before it starts a container
	// anew.
	restartAfter = time.Second
)

// pod is one that runs.
type pod struct {
	pods *Pods
	name string
	spec *corev1.Container
	at   Operator

	// process, ready and routed are guarded by pods.mu.
	process *Process
	ready   bool
	gone    bool

	leave    chan struct{}
	leaveOne sync.Once
}

// end lets it end as its manifest says.
func (p *pod) end() { p.leaveOne.Do(func() { close(p.leave) }) }

// run runs the pod until it is deleted, or all is over.
func (p *pod) run(ctx context.Context, obj *corev1.Pod) error {
	var err error
	if p.at, err = PickPorts(); err != nil {
		return err
	}
	start, err := p.prepare(ctx, obj)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	for restarts := 0; ; restarts++ {
		process, err := start()
		if err != nil {
			return err
		}
		p.started(process)
		over, err := p.watch(ctx, obj, process, restarts)
		if over || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartAfter):
		}
	}
}

// prepare makes what lasts as long as the pod, and returns what starts its
// process: with the arguments of the manifest, and what is different on this
// machine.
func (p *pod) prepare(ctx context.Context, obj *corev1.Pod) (start func() (*Process, error), err error) {
	here := append(p.at.flags(), fmt.Sprintf("--metrics-bind-address=127.0.0.1:%d", p.at.MetricsPort))
	args := slices.Concat(p.spec.Args, here, p.pods.extra)
	logs := p.pods.plane.path("logs")
	dir, err := p.pods.folder(p.name)
	if err != nil {
		return nil, err
	}
	if p.pods.contained {
		user := int(*obj.Spec.SecurityContext.RunAsUser)
		if err := p.fill(ctx, obj, dir, user); err != nil {
			return nil, err
		}
		return func() (*Process, error) {
			cmd, err := p.container(dir, user, args)
			if err != nil {
				return nil, err
			}
			return StartCommand(p.name, logs, cmd)
		}, nil
	}
	kubeconfig, err := p.pods.kubeconfig(ctx, obj)
	if err != nil {
		return nil, err
	}
	args = append(args, "--kubeconfig="+kubeconfig, "--cert-dir="+dir)
	return func() (*Process, error) { return StartProcess(p.name, logs, p.pods.binary, args) }, nil
}

// started notes the process.
func (p *pod) started(process *Process) {
	p.pods.mu.Lock()
	defer p.pods.mu.Unlock()
	p.process = process
	p.pods.logs = append(p.pods.logs, process.Log)
}

// watch probes a process until it ends, and tells whether the pod is over.
func (p *pod) watch(ctx context.Context, obj *corev1.Pod, process *Process, restarts int) (over bool, err error) {
	probe := healthy(fmt.Sprintf("http://127.0.0.1:%d%s", p.at.HealthPort, p.spec.ReadinessProbe.HTTPGet.Path))
	told := ""
	for {
		ready := probe(ctx) == nil
		p.set(ready)
		if state := fmt.Sprint(ready); state != told && p.tell(ctx, obj, ready, restarts) == nil {
			told = state
		}
		select {
		case <-ctx.Done():
			return true, process.Stop()
		case <-p.leave:
			return true, p.shutDown(ctx, obj, process)
		case <-process.Done():
			p.set(false)
			return false, p.tell(ctx, obj, false, restarts+1)
		case <-time.After(lookEvery):
		}
	}
}

func (p *pod) set(ready bool) {
	p.pods.mu.Lock()
	defer p.pods.mu.Unlock()
	p.ready = ready
}

// shutDown is the end of a pod that is being deleted: its hook, a signal, and
// its removal.
func (p *pod) shutDown(ctx context.Context, obj *corev1.Pod, process *Process) error {
	time.AfterFunc(routedOn, func() {
		p.pods.mu.Lock()
		defer p.pods.mu.Unlock()
		p.gone = true
	})
	hook := time.Duration(p.spec.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	grace := time.Duration(*obj.Spec.TerminationGracePeriodSeconds)*time.Second - hook
	select {
	case <-ctx.Done():
	case <-process.Done():
	case <-time.After(hook):
	}
	if err := process.StopWithin(grace); err != nil || ctx.Err() != nil {
		return err
	}
	return p.pods.forget(ctx, obj)
}

// tell writes the pod's status.
func (p *pod) tell(ctx context.Context, obj *corev1.Pod, ready bool, restarts int) error {
	now := metav1.Now()
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: now}
	}
	patch, err := json.Marshal(map[string]any{"status": corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &now,
		Conditions: []corev1.PodCondition{
			condition(corev1.PodInitialized, corev1.ConditionTrue),
			condition(corev1.PodReady, status), condition(corev1.ContainersReady, status),
		},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: p.spec.Name, Image: p.spec.Image, Ready: ready, RestartCount: int32(restarts),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}},
	}})
	if err != nil {
		return err
	}
	_, err = p.pods.client.CoreV1().Pods(obj.Namespace).Patch(ctx, obj.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func tokenRequest(obj *corev1.Pod) *authenticationv1.TokenRequest {
	return &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: obj.Name, UID: obj.UID},
	}}
}
