// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs a small Kubernetes cluster on this machine: etcd,
// the API server with its aggregation layer, the controller manager, the
// scheduler, and kwok instead of a kubelet. All of them listen on loopback.
package controlplane

import (
	"context"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
)

// readyTimeout limits how long a part may take to become ready.
const readyTimeout = 3 * time.Minute

// ClusterIP is the IP address of the API server's Service.
const ClusterIP = "10.0.0.1"

// Options configures a control plane.
type Options struct {
	// Assets is the directory of the binaries; see hack/assets.
	Assets string
	// Dir is the directory for keys, logs, data and the kubeconfig. Start deletes
	// what an earlier control plane left in it.
	Dir string
	// APIPort and EtcdPort are the ports to listen on; 0 picks a free port.
	APIPort, EtcdPort int
	// Audit makes the API server log each write and its user to audit.log in Dir.
	Audit bool
	// FastControllers raises the controllers' request limit, which is 20 a second by
	// default. Use it for tests with many Jobs.
	FastControllers bool
	// Node starts a real node and waits until it is ready. If nil, kwok simulates
	// one.
	Node func(context.Context, *Plane) ([]*Process, error)
	// Logf prints progress.
	Logf func(format string, args ...any)
}

// Plane is a running control plane.
type Plane struct {
	// Kubeconfig is the path of the administrator's kubeconfig.
	Kubeconfig string
	// OperatorEnv holds environment variables for the operators that are started from now
	// on, such as GOMEMLIMIT=1GiB.
	OperatorEnv []string

	options   Options
	clients   *Authority
	config    *rest.Config
	etcd      string
	etcdPeer  string
	api       string
	processes []*Process
}

// Start starts a control plane and waits until it is ready. If a part fails, Start
// stops the others.
func Start(ctx context.Context, options Options) (*Plane, error) {
	p := &Plane{options: options}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (p *Plane) start(ctx context.Context) error {
	if err := os.RemoveAll(p.AuditLog()); err != nil {
		return err
	}
	for _, dir := range []string{"logs", "pki", "etcd", "cache"} {
		if err := os.RemoveAll(p.path(dir)); err != nil {
			return err
		}
		if err := os.MkdirAll(p.path(dir), 0o700); err != nil {
			return err
		}
	}
	if err := p.assignPorts(); err != nil {
		return err
	}
	if err := p.createKeys(); err != nil {
		return err
	}
	for _, start := range []func(context.Context) error{
		p.startEtcd, p.startAPIServer, p.startControllerManager, p.startScheduler, p.startNode,
	} {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		err := start(ctx)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// Stop stops all parts in reverse order of their start.
func (p *Plane) Stop() error {
	var errs []error
	for _, process := range slices.Backward(p.processes) {
		errs = append(errs, process.Stop())
	}
	p.processes = nil
	return errors.Join(errs...)
}

// Restart starts etcd, kube-apiserver or kube-controller-manager again after it has
// ended, with the same address and data.
func (p *Plane) Restart(ctx context.Context, name string) error {
	start, ok := map[string]func(context.Context) error{
		"etcd": p.startEtcd, "kube-apiserver": p.startAPIServer, "kube-controller-manager": p.startControllerManager,
	}[name]
	if !ok {
		return fmt.Errorf("restart %s: only etcd, kube-apiserver and kube-controller-manager can be restarted", name)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return start(ctx)
}

// Process returns the part with this name, or nil.
func (p *Plane) Process(name string) *Process {
	for _, process := range p.processes {
		if process.Name == name {
			return process
		}
	}
	return nil
}

// Processes returns all parts that were started.
func (p *Plane) Processes() []*Process { return p.processes }

// Config returns a client configuration with all rights.
func (p *Plane) Config() *rest.Config { return rest.CopyConfig(p.config) }

// Etcd returns etcd's client address.
func (p *Plane) Etcd() string { return p.etcd }

// KubectlPath returns the path of kubectl.
func (p *Plane) KubectlPath() string { return p.asset("kubectl") }

func (p *Plane) createKeys() error {
	dir := p.path("pki")
	clients, err := NewAuthority(dir, "ca")
	if err != nil {
		return err
	}
	proxies, err := NewAuthority(dir, "proxy-ca")
	if err != nil {
		return err
	}
	p.clients = clients
	return errors.Join(
		clients.issue("apiserver", pkix.Name{CommonName: "kube-apiserver"}, "localhost", "127.0.0.1", ClusterIP, "kubernetes.default.svc"),
		clients.issue("apiserver-kubelet", pkix.Name{CommonName: "kube-apiserver-kubelet", Organization: []string{"system:masters"}}),
		proxies.issue("proxy", pkix.Name{CommonName: "front-proxy"}),
		newServiceAccountKey(filepath.Join(dir, "service-accounts.key")),
	)
}

// assignPorts picks a port for each part. It returns an error if a requested port
// is taken.
func (p *Plane) assignPorts() error {
	for _, port := range []struct {
		number int
		target *string
		name   string
	}{
		{p.options.EtcdPort, &p.etcd, "etcd"},
		{0, &p.etcdPeer, "etcd"},
		{p.options.APIPort, &p.api, "kube-apiserver"},
	} {
		number, err := FreePort(port.number)
		if err != nil {
			return fmt.Errorf("%s: %w", port.name, err)
		}
		*port.target = net.JoinHostPort("127.0.0.1", strconv.Itoa(number))
	}
	if p.options.Node != nil {
		// Pods connect to this address. Listening on it makes routing unnecessary.
		p.api = net.JoinHostPort(ClusterIP, "443")
	}
	return nil
}

func (p *Plane) path(elements ...string) string {
	return filepath.Join(append([]string{p.options.Dir}, elements...)...)
}

func (p *Plane) asset(name string) string { return filepath.Join(p.options.Assets, name) }

// launch starts a part.
func (p *Plane) launch(name string, args ...string) (*Process, error) {
	if _, err := os.Stat(p.asset(name)); err != nil {
		return nil, fmt.Errorf("find %s: %w; run make assets", name, err)
	}
	p.options.Logf("starting %s", name)
	process, err := StartProcess(name, p.path("logs"), p.asset(name), args)
	if err != nil {
		return nil, err
	}
	// A restarted part keeps its place in the stop order.
	if i := slices.IndexFunc(p.processes, func(earlier *Process) bool { return earlier.Name == name }); i >= 0 {
		p.processes[i] = process
	} else {
		p.processes = append(p.processes, process)
	}
	return process, nil
}
