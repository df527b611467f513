// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
)

// installOnNode installs the operator on a real node from dist/install.yaml, and waits until
// it serves.
func (c *Cluster) installOnNode(ctx context.Context) error {
	path, err := c.Manifests()
	if err != nil {
		return err
	}
	manifests, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	objects, err := controlplane.Objects(manifests)
	if err != nil {
		return err
	}
	var manifest bytes.Buffer
	for _, obj := range objects {
		if obj.GetKind() == "Deployment" {
			if err := addFlags(obj, c.Flags); err != nil {
				return err
			}
		}
		data, err := yaml.Marshal(obj.Object)
		if err != nil {
			return err
		}
		manifest.WriteString("---\n")
		manifest.Write(data)
	}
	if _, err := c.Run(ctx, &manifest, "apply", "-f", "-"); err != nil {
		return err
	}
	return c.WaitInstalled(ctx)
}

// addFlags adds flags to the first container of a Deployment.
func addFlags(deployment *unstructured.Unstructured, flags []string) error {
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, path...)
	if err != nil {
		return err
	}
	container := containers[0].(map[string]any)
	args, _, err := unstructured.NestedStringSlice(container, "args")
	if err != nil {
		return err
	}
	if err := unstructured.SetNestedStringSlice(container, append(args, flags...), "args"); err != nil {
		return err
	}
	return unstructured.SetNestedSlice(deployment.Object, containers, path...)
}

// stopNode kills the control plane of a real node. The pods end with the node's Linux
// namespaces. A regular stop would wait for their watches on the API server.
func (c *Cluster) stopNode() {
	for _, process := range slices.Backward(c.Processes()) {
		process.Kill()
	}
}

// operatorLogs returns the paths of the logs of the operator's pods on a real node.
func (c *Cluster) operatorLogs() ([]string, error) {
	return filepath.Glob(filepath.Join(c.Dir, "logs", "pods", attribution.OperatorNamespace+"_*", "*", "*.log"))
}
