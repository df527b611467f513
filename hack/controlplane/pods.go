// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"joberror.io/operator/internal/attribution"
)

// OperatorLabel selects the operator's pods, which kwok ignores.
const OperatorLabel = "app.kubernetes.io/name=joberror-operator"

// pollInterval is the delay between two polls of the pods.
const pollInterval = 100 * time.Millisecond

// Pods runs the operator's pods as processes on this machine, as a kubelet would:
// with their service account and their manifest's arguments, probes and hooks. It
// also acts as the Service in front of them.
type Pods struct {
	plane  *Plane
	client kubernetes.Interface
	binary string
	// isolated makes each pod run in its own root directory.
	isolated  bool
	service   OperatorPorts
	extraArgs []string

	stop    context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	pods    map[types.UID]*pod
	turn    int
	logs    []string
	errs    []error
}

// RunPods starts to run the operator's pods, with a binary instead of their image.
// Their Service listens on the service ports. If isolated is set, each pod runs in
// its own root directory (see CheckIsolation). The extra arguments follow the
// manifest's.
func (p *Plane) RunPods(binary string, isolated bool, service OperatorPorts, extraArgs ...string) (*Pods, error) {
	client, err := kubernetes.NewForConfig(p.config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	pods := &Pods{isolated: isolated, plane: p, client: client, binary: binary, service: service, extraArgs: extraArgs, stop: stop, pods: map[types.UID]*pod{}}
	if err := pods.listen(ctx); err != nil {
		stop()
		return nil, err
	}
	pods.running.Go(func() { pods.syncLoop(ctx) })
	return pods, nil
}

// Stop stops all processes and returns the errors that occurred since the start.
func (p *Pods) Stop() error {
	p.stop()
	p.running.Wait()
	return errors.Join(p.errs...)
}

// Logs returns the paths of all pods' logs, including those of deleted pods.
func (p *Pods) Logs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.logs...)
}

// Process returns the process of the pod with this name, or nil.
func (p *Pods) Process(name string) *Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, candidate := range p.pods {
		if candidate.name == name {
			return candidate.process
		}
	}
	return nil
}

// syncLoop starts pods that are scheduled and ends pods that are being deleted.
func (p *Pods) syncLoop(ctx context.Context) {
	for ctx.Err() == nil {
		list, err := p.client.CoreV1().Pods(attribution.OperatorNamespace).List(ctx, metav1.ListOptions{LabelSelector: OperatorLabel})
		if err == nil {
			for i := range list.Items {
				p.sync(ctx, &list.Items[i])
			}
		}
		// While the API server is down, the pods keep running.
		select {
		case <-ctx.Done():
		case <-time.After(pollInterval):
		}
	}
}

// sync starts a new pod, and ends a pod that is being deleted.
func (p *Pods) sync(ctx context.Context, obj *corev1.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.pods[obj.UID]
	switch {
	case known == nil && obj.Spec.NodeName != "" && obj.DeletionTimestamp == nil:
		started := &pod{pods: p, name: obj.Name, spec: &obj.Spec.Containers[0], terminating: make(chan struct{})}
		p.pods[obj.UID] = started
		p.running.Go(func() {
			err := started.run(ctx, obj)
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.pods, obj.UID)
			if err != nil {
				p.errs = append(p.errs, fmt.Errorf("pod %s: %w", obj.Name, err))
			}
		})
	case known == nil && obj.DeletionTimestamp != nil:
		_ = p.deletePod(ctx, obj)
	case known != nil && obj.DeletionTimestamp != nil:
		known.terminate()
	}
}

// deletePod deletes a pod that has ended from the API server.
func (p *Pods) deletePod(ctx context.Context, obj *corev1.Pod) error {
	immediately := int64(0)
	return p.client.CoreV1().Pods(obj.Namespace).Delete(ctx, obj.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &immediately, Preconditions: metav1.NewUIDPreconditions(string(obj.UID)),
	})
}

// writeKubeconfig writes a kubeconfig for a pod's service account.
func (p *Pods) writeKubeconfig(ctx context.Context, obj *corev1.Pod) (string, error) {
	token, err := p.newToken(ctx, obj)
	if err != nil {
		return "", err
	}
	path, _, err := p.plane.writeKubeconfig(obj.Name+".kubeconfig", clientcmdapi.AuthInfo{Token: token})
	return path, err
}

// newToken returns a token of the pod's service account that is bound to the pod.
func (p *Pods) newToken(ctx context.Context, obj *corev1.Pod) (string, error) {
	token, err := p.client.CoreV1().ServiceAccounts(obj.Namespace).CreateToken(ctx, obj.Spec.ServiceAccountName, tokenRequest(obj), metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return token.Status.Token, nil
}

// newDir creates an empty directory for a pod: its certificates, or its whole root
// directory.
func (p *Pods) newDir(name string) (string, error) {
	dir := p.plane.path("pods", name)
	return dir, errors.Join(RemoveAll(dir), os.MkdirAll(dir, 0o700))
}

// RemoveAll deletes a directory, including read-only directories in it.
func RemoveAll(dir string) error {
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}
