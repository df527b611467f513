// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs a small Kubernetes cluster on this machine: etcd,
// the API server with its aggregation layer, the controller manager, the
// scheduler, and kwok in the kubelet's place. All of it listens on loopback.
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

// readyTimeout is how long a part has to get ready.
const readyTimeout = 3 * time.Minute

// ClusterIP is the address of the API server's Service.
const ClusterIP = "10.0.0.1"

// Options tell where a control plane stands.
type Options struct {
	// Assets is the folder of the binaries; see hack/assets.
	Assets string
	// Dir is the folder for its keys, logs, data and kubeconfig. What is in
	// it from an earlier control plane is deleted.
	Dir string
	// APIPort and EtcdPort are the ports to take; 0 takes any.
	APIPort, EtcdPort int
	// Audit lets the API server log each write, with who made it, to
	// audit.log in Dir.
	Audit bool
	// Hurry lets the controllers send more requests than they do by default, 20 a
	// second: for very many Jobs at once.
	Hurry bool
	// Node starts a real node and waits until it is ready. Without it, kwok
	// plays one.
	Node func(context.Context, *Plane) ([]*Process, error)
	// Say is told what goes on.
	Say func(format string, args ...any)
}

// Plane is a control plane that runs.
type Plane struct {
	// Kubeconfig is the file for its administrator.
	Kubeconfig string

	options   Options
	clients   *Authority
	config    *rest.Config
	etcd      string
	etcdPeer  string
	api       string
	processes []*Process
}

// Start starts a control plane and waits until it works. What was started is
// stopped again where a part of it fails.
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
	for _, dir := range []string{"logs", "pki", "etcd"} {
		if err := os.RemoveAll(p.path(dir)); err != nil {
			return err
		}
		if err := os.MkdirAll(p.path(dir), 0o700); err != nil {
			return err
		}
	}
	if err := p.takePorts(); err != nil {
		return err
	}
	if err := p.makeKeys(); err != nil {
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

// Stop stops all parts, the last one first.
func (p *Plane) Stop() error {
	var errs []error
	for _, process := range slices.Backward(p.processes) {
		errs = append(errs, process.Stop())
	}
	p.processes = nil
	return errors.Join(errs...)
}

// Restart starts etcd or kube-apiserver anew once it has ended: where it stood,
// with the data that it had.
func (p *Plane) Restart(ctx context.Context, name string) error {
	start, ok := map[string]func(context.Context) error{"etcd": p.startEtcd, "kube-apiserver": p.startAPIServer}[name]
	if !ok {
		return fmt.Errorf("%s can't be restarted", name)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return start(ctx)
}

// Process is the part of that name, or nil.
func (p *Plane) Process(name string) *Process {
	for _, process := range p.processes {
		if process.Name == name {
			return process
		}
	}
	return nil
}

// Processes are all parts that were started.
func (p *Plane) Processes() []*Process { return p.processes }

// Config is the configuration of a client with all rights.
func (p *Plane) Config() *rest.Config { return rest.CopyConfig(p.config) }

// Etcd is where etcd's clients reach it.
func (p *Plane) Etcd() string { return p.etcd }

// KubectlPath is the path of kubectl.
func (p *Plane) KubectlPath() string { return p.asset("kubectl") }

func (p *Plane) makeKeys() error {
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

// takePorts picks ports that are free, or tells which one is not.
func (p *Plane) takePorts() error {
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
		// Pods look for it there, and nothing has to route them.
		p.api = net.JoinHostPort(ClusterIP, "443")
	}
	return nil
}

// FreePort returns the port where it is free on loopback, and any free one for
// 0.
func FreePort(port int) (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, fmt.Errorf("port %d is taken: %w", port, err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (p *Plane) path(elements ...string) string {
	return filepath.Join(append([]string{p.options.Dir}, elements...)...)
}

func (p *Plane) asset(name string) string { return filepath.Join(p.options.Assets, name) }

// launch starts a part.
func (p *Plane) launch(name string, args ...string) (*Process, error) {
	if _, err := os.Stat(p.asset(name)); err != nil {
		return nil, fmt.Errorf("%s is missing: %w; run make assets", name, err)
	}
	p.options.Say("starting %s", name)
	process, err := StartProcess(name, p.path("logs"), p.asset(name), args)
	if err != nil {
		return nil, err
	}
	// One that is restarted keeps its place in the order of stopping.
	if i := slices.IndexFunc(p.processes, func(earlier *Process) bool { return earlier.Name == name }); i >= 0 {
		p.processes[i] = process
	} else {
		p.processes = append(p.processes, process)
	}
	return process, nil
}
