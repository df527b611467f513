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

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	"joberror.io/operator/internal/attribution"
)

// Operator is where an operator beside the control plane serves.
type Operator struct {
	APIPort, WebhookPort, HealthPort int
}

// OperatorGroups are the groups of the operator's service account.
var OperatorGroups = []string{"system:serviceaccounts", "system:serviceaccounts:joberror-system"}

// Run runs kubectl as the administrator and returns what it printed.
func (p *Plane) Run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.Kubectl(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.Kubeconfig)
	cmd.Stdin = stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %v: %w: %s", args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// Install applies a kustomization whose webhooks and APIService lead to an
// operator at these ports, and waits until its resources are served.
func (p *Plane) Install(ctx context.Context, kustomization string, at Operator) error {
	manifests, err := p.Run(ctx, nil, "kustomize", kustomization)
	if err != nil {
		return err
	}
	placed, err := place(manifests, at)
	if err != nil {
		return err
	}
	if _, err := p.Run(ctx, bytes.NewReader(placed), "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	_, err = p.Run(ctx, nil, "wait", "--for=condition=Established", "--timeout=60s",
		"crd/joberrors.joberror.io", "crd/joberrorresolutions.joberror.io")
	return err
}

// place sets the ports of the webhooks and the APIService: a Service of type
// ExternalName maps none.
func place(manifests string, at Operator) ([]byte, error) {
	var placed bytes.Buffer
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(manifests), 4096)
	for {
		obj := &unstructured.Unstructured{}
		err := decoder.Decode(obj)
		if errors.Is(err, io.EOF) {
			return placed.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		if obj.GetKind() == "APIService" {
			err = unstructured.SetNestedField(obj.Object, int64(at.APIPort), "spec", "service", "port")
		}
		webhooks, _, _ := unstructured.NestedSlice(obj.Object, "webhooks")
		for _, webhook := range webhooks {
			err = errors.Join(err, unstructured.SetNestedField(webhook.(map[string]any), int64(at.WebhookPort), "clientConfig", "service", "port"))
		}
		if webhooks != nil {
			err = errors.Join(err, unstructured.SetNestedSlice(obj.Object, webhooks, "webhooks"))
		}
		data, marshalErr := sigsyaml.Marshal(obj.Object)
		if err := errors.Join(err, marshalErr); err != nil {
			return nil, err
		}
		placed.WriteString("---\n")
		placed.Write(data)
	}
}

// StartOperator starts an operator with its shipped rights, and waits until it
// serves.
func (p *Plane) StartOperator(ctx context.Context, name, binary string, at Operator, args ...string) (*Process, error) {
	process, err := p.LaunchOperator(name, binary, at, args...)
	if err != nil {
		return nil, err
	}
	if err := process.Ready(ctx, at); err != nil {
		return process, errors.Join(err, process.Stop())
	}
	return process, p.Serving(ctx, process)
}

// Ready waits until an operator's process says that it is ready.
func (p *Process) Ready(ctx context.Context, at Operator) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return p.waitFor(ctx, healthy(fmt.Sprintf("http://127.0.0.1:%d/readyz", at.HealthPort)))
}

// Serving waits until the API server has found an operator's aggregated API.
func (p *Plane) Serving(ctx context.Context, operator *Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return operator.waitFor(ctx, p.apiServiceAvailable)
}

// LaunchOperator starts an operator and does not wait for it.
func (p *Plane) LaunchOperator(name, binary string, at Operator, args ...string) (*Process, error) {
	kubeconfig, _, err := p.KubeconfigFor(name+".kubeconfig", attribution.OperatorUser, OperatorGroups...)
	if err != nil {
		return nil, err
	}
	p.options.Say("starting %s", name)
	return StartProcess(name, p.path("logs"), binary, append([]string{
		"--kubeconfig=" + kubeconfig,
		"--cert-dir=" + p.path("certs-"+name),
		fmt.Sprintf("--health-bind-address=127.0.0.1:%d", at.HealthPort),
		"--webhook-bind-address=127.0.0.1", fmt.Sprintf("--webhook-port=%d", at.WebhookPort),
		"--apiserver-bind-address=127.0.0.1", fmt.Sprintf("--apiserver-port=%d", at.APIPort),
	}, args...))
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
	return errors.New("the APIService has no condition yet")
}

// PickPorts returns ports for an operator that are free now.
func PickPorts() (Operator, error) {
	var ports [3]int
	for i := range ports {
		port, err := FreePort(0)
		if err != nil {
			return Operator{}, err
		}
		ports[i] = port
	}
	return Operator{APIPort: ports[0], WebhookPort: ports[1], HealthPort: ports[2]}, nil
}
