// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// Install applies a kustomization without its Deployment, for an operator that
// runs outside the cluster on these ports. It waits until the CRDs are established.
func (p *Plane) Install(ctx context.Context, kustomization string, ports OperatorPorts) error {
	manifests, err := p.Run(ctx, nil, "kustomize", kustomization)
	if err != nil {
		return err
	}
	return p.apply(ctx, []byte(manifests), ports, "Deployment")
}

// InstallFile applies a manifest file for an operator on these ports.
func (p *Plane) InstallFile(ctx context.Context, path string, ports OperatorPorts) error {
	manifests, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return p.apply(ctx, manifests, ports)
}

func (p *Plane) apply(ctx context.Context, manifests []byte, ports OperatorPorts, exclude ...string) error {
	redirected, err := redirect(manifests, ports, exclude...)
	if err != nil {
		return err
	}
	if _, err := p.Run(ctx, bytes.NewReader(redirected), "apply", "-f", "-"); err != nil {
		return err
	}
	return p.WaitEstablished(ctx, "crd/joberrors.joberror.io", "crd/joberrorresolutions.joberror.io", "crd/joberrorretries.joberror.io")
}

// WaitEstablished waits for up to a minute until the API server serves the kinds of CRDs. It takes
// arguments of kubectl, such as crd/NAME, or -f and a file.
func (p *Plane) WaitEstablished(ctx context.Context, definitions ...string) error {
	args := append([]string{"wait", "--for=condition=Established", "--timeout=60s"}, definitions...)
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		// Right after a CRD is created, its conditions are null, and kubectl fails at once.
		_, last = p.Run(ctx, nil, args...)
		return last == nil, nil
	})
	if err != nil {
		return cmp.Or(last, err)
	}
	return nil
}

// webhookTimeout is how many seconds the API server waits for a webhook. With the timeouts of the
// manifests, it would skip webhooks that are only slow because the machine is busy.
const webhookTimeout = 10

// redirect points the Service to this machine. It also sets the ports of the
// webhooks and the APIService, because a Service of type ExternalName does not map
// ports, and the timeout of the webhooks. It drops objects of the excluded kinds.
func redirect(manifests []byte, ports OperatorPorts, exclude ...string) ([]byte, error) {
	objects, err := Objects(manifests)
	if err != nil {
		return nil, err
	}
	var redirected bytes.Buffer
	for _, obj := range objects {
		if slices.Contains(exclude, obj.GetKind()) {
			continue
		}
		if err := redirectObject(obj, ports); err != nil {
			return nil, err
		}
		data, err := sigsyaml.Marshal(obj.Object)
		if err != nil {
			return nil, err
		}
		redirected.WriteString("---\n")
		redirected.Write(data)
	}
	return redirected.Bytes(), nil
}

// Objects parses the objects in a manifest file.
func Objects(manifests []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		obj := &unstructured.Unstructured{}
		err := decoder.Decode(obj)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, obj)
	}
}

func redirectObject(obj *unstructured.Unstructured, ports OperatorPorts) error {
	switch obj.GetKind() {
	case "Service":
		obj.Object["spec"] = map[string]any{"type": "ExternalName", "externalName": "localhost"}
	case "APIService":
		return unstructured.SetNestedField(obj.Object, int64(ports.APIPort), "spec", "service", "port")
	}
	webhooks, found, err := unstructured.NestedSlice(obj.Object, "webhooks")
	if err != nil || !found {
		return err
	}
	for _, webhook := range webhooks {
		fields := webhook.(map[string]any)
		fields["timeoutSeconds"] = int64(webhookTimeout)
		if err := unstructured.SetNestedField(fields, int64(ports.WebhookPort), "clientConfig", "service", "port"); err != nil {
			return err
		}
	}
	return unstructured.SetNestedSlice(obj.Object, webhooks, "webhooks")
}
