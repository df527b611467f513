// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/attribution"
)

// OperatorPorts holds the ports of an operator that runs outside the cluster.
type OperatorPorts struct {
	APIPort, WebhookPort, HealthPort, MetricsPort int
}

// OperatorGroups holds the groups of the operator's service account.
var OperatorGroups = []string{"system:serviceaccounts", "system:serviceaccounts:joberror-system"}

// KubectlEnv returns this process's environment with what kubectl and helm need. Their
// cache is the control plane's own: one in the home directory would still have what an
// earlier control plane served on the same port.
func (p *Plane) KubectlEnv() []string {
	return append(os.Environ(), "KUBECONFIG="+p.Kubeconfig, "KUBECACHEDIR="+p.path("cache"))
}

// Run runs kubectl as the administrator and returns its output.
func (p *Plane) Run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.KubectlPath(), args...)
	cmd.Env = p.KubectlEnv()
	cmd.Stdin = stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %v: %w: %s", args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// StartOperator starts an operator with the rights of its manifests, and waits
// until it serves.
func (p *Plane) StartOperator(ctx context.Context, name, binary string, ports OperatorPorts, args ...string) (*Process, error) {
	process, err := p.LaunchOperator(name, binary, ports, args...)
	if err != nil {
		return nil, err
	}
	if err := process.WaitReady(ctx, ports); err != nil {
		return process, errors.Join(err, process.Stop())
	}
	return process, p.WaitServing(ctx, process)
}

// WaitReady waits until the operator's readiness probe passes.
func (p *Process) WaitReady(ctx context.Context, ports OperatorPorts) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return p.waitFor(ctx, checkHealth(fmt.Sprintf("http://127.0.0.1:%d/readyz", ports.HealthPort)))
}

// WaitServing waits until the API server finds the operator's aggregated API
// available and accepts JobErrors.
func (p *Plane) WaitServing(ctx context.Context, operator *Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := operator.waitFor(ctx, p.apiServiceAvailable); err != nil {
		return err
	}
	return p.WaitAccepted(ctx)
}

// WaitAccepted waits until the API server accepts JobErrors. For a few seconds after their
// CRD was created, it answers 404 or 503 to requests that a MutatingAdmissionPolicy
// matches, even if the policy's failures are ignored.
func (p *Plane) WaitAccepted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return p.Process("kube-apiserver").waitFor(ctx, p.checkAccepted)
}

func (p *Plane) checkAccepted(ctx context.Context) error {
	c, err := client.New(p.config, client.Options{})
	if err != nil {
		return err
	}
	probe := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "joberror.io/v1", "kind": "JobError", "spec": map[string]any{"_jobId": "probe"},
		"metadata": map[string]any{"namespace": "default", "name": "probe"},
	}}
	err = c.Create(ctx, probe, client.DryRunAll)
	if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) || meta.IsNoMatchError(err) {
		return fmt.Errorf("create a JobError: %w", err)
	}
	return nil
}

// LaunchOperator starts an operator and does not wait until it is ready.
func (p *Plane) LaunchOperator(name, binary string, ports OperatorPorts, args ...string) (*Process, error) {
	kubeconfig, _, err := p.KubeconfigFor(name+".kubeconfig", attribution.OperatorUser, OperatorGroups...)
	if err != nil {
		return nil, err
	}
	p.options.Logf("starting %s", name)
	connection := []string{"--kubeconfig=" + kubeconfig, "--cert-dir=" + p.path("certs-"+name)}
	return StartProcess(name, p.path("logs"), binary, slices.Concat(connection, ports.flags(), args), p.OperatorEnv...)
}

// flags returns the flags that make an operator serve on these ports on loopback.
func (o OperatorPorts) flags() []string {
	return []string{
		fmt.Sprintf("--health-bind-address=127.0.0.1:%d", o.HealthPort),
		"--webhook-bind-address=127.0.0.1", fmt.Sprintf("--webhook-port=%d", o.WebhookPort),
		"--apiserver-bind-address=127.0.0.1", fmt.Sprintf("--apiserver-port=%d", o.APIPort),
	}
}

func (p *Plane) apiServiceAvailable(ctx context.Context) error {
	c, err := client.New(p.config, client.Options{})
	if err != nil {
		return err
	}
	service := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}}
	if err := c.Get(ctx, client.ObjectKey{Name: "v1.resolve.joberror.io"}, service); err != nil {
		return err
	}
	conditions, _, _ := unstructured.NestedSlice(service.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Available" {
			if c["status"] == "True" {
				return nil
			}
			return fmt.Errorf("the APIService is not available: %v", c["message"])
		}
	}
	return errors.New("the APIService has no Available condition yet")
}
