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

// OperatorLabel selects the operator's pods, which kwok leaves alone.
const OperatorLabel = "app.kubernetes.io/name=joberror-operator"

// lookEvery is how often the pods are looked at.
const lookEvery = 100 * time.Millisecond

// Pods runs the operator's pods as processes on this machine, in the kubelet's
// place: as their service account, with the arguments, the probes and the
// hooks of their manifest. It is also the Service in front of them.
type Pods struct {
	plane  *Plane
	client kubernetes.Interface
	binary string
	// contained lets each run in a root of its own.
	contained bool
	front     Operator
	extra     []string

	stop    context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	pods    map[types.UID]*pod
	turn    int
	logs    []string
	errs    []error
}

// RunPods runs the operator's pods from now on, with a binary in their image's
// place, behind these ports; contained, each in a root of its own (see
// Containable). The extra arguments come after the manifest's.
func (p *Plane) RunPods(binary string, contained bool, front Operator, extra ...string) (*Pods, error) {
	client, err := kubernetes.NewForConfig(p.config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	pods := &Pods{contained: contained, plane: p, client: client, binary: binary, front: front, extra: extra, stop: stop, pods: map[types.UID]*pod{}}
	if err := pods.listen(ctx); err != nil {
		stop()
		return nil, err
	}
	pods.running.Go(func() { pods.follow(ctx) })
	return pods, nil
}

// Stop ends all processes and returns what went wrong meanwhile.
func (p *Pods) Stop() error {
	p.stop()
	p.running.Wait()
	return errors.Join(p.errs...)
}

// Logs are the files of what the pods printed, of those that are gone too.
func (p *Pods) Logs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.logs...)
}

// Process is that of the pod of this name; nil where it has none.
func (p *Pods) Process(name string) *Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pod := range p.pods {
		if pod.name == name {
			return pod.process
		}
	}
	return nil
}

// follow starts what has been scheduled and ends what is to be deleted.
func (p *Pods) follow(ctx context.Context) {
	for ctx.Err() == nil {
		list, err := p.client.CoreV1().Pods(attribution.OperatorNamespace).List(ctx, metav1.ListOptions{LabelSelector: OperatorLabel})
		if err == nil {
			for i := range list.Items {
				p.see(ctx, &list.Items[i])
			}
		}
		// The API server may be down for a while; the pods run on.
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// see starts a pod that is new and lets one end that is being deleted.
func (p *Pods) see(ctx context.Context, obj *corev1.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.pods[obj.UID]
	switch {
	case known == nil && obj.Spec.NodeName != "" && obj.DeletionTimestamp == nil:
		started := &pod{pods: p, name: obj.Name, spec: &obj.Spec.Containers[0], leave: make(chan struct{})}
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
		_ = p.forget(ctx, obj)
	case known != nil && obj.DeletionTimestamp != nil:
		known.end()
	}
}

// forget deletes a pod that has ended.
func (p *Pods) forget(ctx context.Context, obj *corev1.Pod) error {
	now := int64(0)
	return p.client.CoreV1().Pods(obj.Namespace).Delete(ctx, obj.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(obj.UID)),
	})
}

// kubeconfig is that of a pod.
func (p *Pods) kubeconfig(ctx context.Context, obj *corev1.Pod) (string, error) {
	token, err := p.token(ctx, obj)
	if err != nil {
		return "", err
	}
	path, _, err := p.plane.writeKubeconfig(obj.Name+".kubeconfig", clientcmdapi.AuthInfo{Token: token})
	return path, err
}

// token is that of a pod's service account, bound to the pod.
func (p *Pods) token(ctx context.Context, obj *corev1.Pod) (string, error) {
	token, err := p.client.CoreV1().ServiceAccounts(obj.Namespace).CreateToken(ctx, obj.Spec.ServiceAccountName, tokenRequest(obj), metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return token.Status.Token, nil
}

// folder is an empty one for a pod: for its certificates, or all of its root.
func (p *Pods) folder(name string) (string, error) {
	dir := p.plane.path("pods", name)
	return dir, errors.Join(Remove(dir), os.MkdirAll(dir, 0o700))
}

// Remove deletes a folder, with folders in it that are not to be written.
func Remove(dir string) error {
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
