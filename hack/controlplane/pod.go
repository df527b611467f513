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
	"k8s.io/utils/ptr"
)

const (
	// endpointDelay is how long a Service still routes to a pod that is being
	// deleted. In a cluster, every node needs a moment to learn of the deletion.
	endpointDelay = time.Second
	// restartDelay is how long the kubelet waits before it restarts a container.
	restartDelay = time.Second
)

// pod is a running pod.
type pod struct {
	pods *Pods
	name string
	spec *corev1.Container

	// process, ports, ready and unrouted are guarded by pods.mu.
	process  *Process
	ports    OperatorPorts
	ready    bool
	unrouted bool

	terminating   chan struct{}
	terminateOnce sync.Once
}

// terminate starts the pod's graceful shutdown.
func (p *pod) terminate() { p.terminateOnce.Do(func() { close(p.terminating) }) }

// run runs the pod until it is deleted or the context ends.
func (p *pod) run(ctx context.Context, obj *corev1.Pod) error {
	start, err := p.prepare(ctx, obj)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the pod is stopped while it starts, which is no failure
	}
	if err != nil {
		return err
	}
	for restarts := 0; ; restarts++ {
		// Another program may have taken a port of the process that ended.
		ports, err := PickPorts()
		if err != nil {
			return err
		}
		process, err := start(ports)
		if err != nil {
			return err
		}
		p.setProcess(process, ports)
		ended, err := p.watch(ctx, obj, process, ports, restarts)
		if ended || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartDelay):
		}
	}
}

// prepare creates the pod's directory and credentials. It returns a function that
// starts the pod's process with the arguments of the manifest and those for this
// machine.
func (p *pod) prepare(ctx context.Context, obj *corev1.Pod) (start func(OperatorPorts) (*Process, error), err error) {
	args := func(ports OperatorPorts, extra ...string) []string {
		local := append(ports.flags(), fmt.Sprintf("--metrics-bind-address=127.0.0.1:%d", ports.MetricsPort))
		return slices.Concat(p.spec.Args, local, p.pods.extraArgs, extra)
	}
	logs := p.pods.plane.path("logs")
	dir, err := p.pods.newDir(p.name)
	if err != nil {
		return nil, err
	}
	if p.pods.isolated {
		user := int(*obj.Spec.SecurityContext.RunAsUser)
		if err := p.fillRoot(ctx, obj, dir, user); err != nil {
			return nil, err
		}
		return func(ports OperatorPorts) (*Process, error) {
			cmd, err := p.containerCommand(dir, user, args(ports))
			if err != nil {
				return nil, err
			}
			return StartCommand(p.name, logs, cmd)
		}, nil
	}
	kubeconfig, err := p.pods.writeKubeconfig(ctx, obj)
	if err != nil {
		return nil, err
	}
	return func(ports OperatorPorts) (*Process, error) {
		return StartProcess(p.name, logs, p.pods.binary, args(ports, "--kubeconfig="+kubeconfig, "--cert-dir="+dir))
	}, nil
}

func (p *pod) setProcess(process *Process, ports OperatorPorts) {
	p.pods.mu.Lock()
	defer p.pods.mu.Unlock()
	p.process, p.ports = process, ports
	p.pods.logs = append(p.pods.logs, process.Log)
}

// watch probes a process until it ends, and reports whether the pod has ended too.
func (p *pod) watch(ctx context.Context, obj *corev1.Pod, process *Process, ports OperatorPorts, restarts int) (ended bool, err error) {
	probe := checkHealth(fmt.Sprintf("http://127.0.0.1:%d%s", ports.HealthPort, p.spec.ReadinessProbe.HTTPGet.Path))
	written := ""
	for {
		ready := probe(ctx) == nil
		p.setReady(ready)
		if state := fmt.Sprint(ready); state != written && p.writeStatus(ctx, obj, ready, restarts) == nil {
			written = state
		}
		select {
		case <-ctx.Done():
			return true, process.Stop()
		case <-p.terminating:
			return true, p.shutDown(ctx, obj, process)
		case <-process.Done():
			p.setReady(false)
			// While the API server is down, this fails. The next process writes the status.
			_ = p.writeStatus(ctx, obj, false, restarts+1)
			return false, nil
		case <-time.After(pollInterval):
		}
	}
}

func (p *pod) setReady(ready bool) {
	p.pods.mu.Lock()
	defer p.pods.mu.Unlock()
	p.ready = ready
}

// shutDown ends a pod that is being deleted: it waits for the preStop hook, stops
// the process, and deletes the pod.
func (p *pod) shutDown(ctx context.Context, obj *corev1.Pod, process *Process) error {
	time.AfterFunc(endpointDelay, func() {
		p.pods.mu.Lock()
		defer p.pods.mu.Unlock()
		p.unrouted = true
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
	return p.pods.deletePod(ctx, obj)
}

func (p *pod) writeStatus(ctx context.Context, obj *corev1.Pod, ready bool, restarts int) error {
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

// tokenLifetime is how long a pod's token is valid. Unlike a kubelet, nothing renews it.
const tokenLifetime = 24 * time.Hour

func tokenRequest(obj *corev1.Pod) *authenticationv1.TokenRequest {
	return &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: ptr.To(int64(tokenLifetime / time.Second)),
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: obj.Name, UID: obj.UID},
	}}
}
