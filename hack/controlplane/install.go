// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// Install applies a kustomization without its Deployment, for an operator that
// runs beside the control plane at these ports, and waits until its resources
// are served.
func (p *Plane) Install(ctx context.Context, kustomization string, at Operator) error {
	manifests, err := p.Run(ctx, nil, "kustomize", kustomization)
	if err != nil {
		return err
	}
	return p.apply(ctx, []byte(manifests), at, "Deployment")
}

// InstallFile applies a file of manifests as they are, but for the Service: it
// leads to these ports.
func (p *Plane) InstallFile(ctx context.Context, path string, at Operator) error {
	manifests, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return p.apply(ctx, manifests, at)
}

func (p *Plane) apply(ctx context.Context, manifests []byte, at Operator, without ...string) error {
	placed, err := place(manifests, at, without...)
	if err != nil {
		return err
	}
	if _, err := p.Run(ctx, bytes.NewReader(placed), "apply", "-f", "-"); err != nil {
		return err
	}
	_, err = p.Run(ctx, nil, "wait", "--for=condition=Established", "--timeout=60s",
		"crd/joberrors.joberror.io", "crd/joberrorresolutions.joberror.io")
	return err
}

// place makes the Service lead out of the cluster, and sets the ports of the
// webhooks and the APIService: a Service of type ExternalName maps none. It
// leaves objects of some kinds out.
func place(manifests []byte, at Operator, without ...string) ([]byte, error) {
	objects, err := Objects(manifests)
	if err != nil {
		return nil, err
	}
	var placed bytes.Buffer
	for _, obj := range objects {
		if slices.Contains(without, obj.GetKind()) {
			continue
		}
		if err := placeObject(obj, at); err != nil {
			return nil, err
		}
		data, err := sigsyaml.Marshal(obj.Object)
		if err != nil {
			return nil, err
		}
		placed.WriteString("---\n")
		placed.Write(data)
	}
	return placed.Bytes(), nil
}

// Objects are those of a file of manifests.
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

func placeObject(obj *unstructured.Unstructured, at Operator) error {
	switch obj.GetKind() {
	case "Service":
		obj.Object["spec"] = map[string]any{"type": "ExternalName", "externalName": "localhost"}
	case "APIService":
		return unstructured.SetNestedField(obj.Object, int64(at.APIPort), "spec", "service", "port")
	}
	webhooks, found, err := unstructured.NestedSlice(obj.Object, "webhooks")
	if err != nil || !found {
		return err
	}
	for _, webhook := range webhooks {
		if err := unstructured.SetNestedField(webhook.(map[string]any), int64(at.WebhookPort), "clientConfig", "service", "port"); err != nil {
			return err
		}
	}
	return unstructured.SetNestedSlice(obj.Object, webhooks, "webhooks")
}
