// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"joberror.io/operator/hack/controlplane"
)

// inRelease holds the arguments of every command about the release.
var inRelease = []string{"--namespace", "joberror-system"}

// helm runs helm as the administrator.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "helm"), args...)
	cmd.Env = append(cluster.KubectlEnv(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("helm %v: %w: %s", args, err, stderr.String())
	}
	return stdout.String(), nil
}

// chart returns the path of the chart.
func chart() string { return filepath.Join(cluster.Root, "charts", "joberror-operator") }

// render returns the objects that the chart renders with these arguments.
func render(t *testing.T, args ...string) objects {
	t.Helper()
	out, err := helm(t, append(append([]string{"template", "joberror-operator", chart()}, inRelease...), args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, out)
}

// objects holds the objects of a manifest file by kind and name.
type objects map[string]map[string]any

// parse returns the objects of a manifest file.
func parse(t *testing.T, manifests string) objects {
	t.Helper()
	list, err := controlplane.Objects([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	byKey := objects{}
	for _, obj := range list {
		key := obj.GetKind() + " " + obj.GetName()
		if _, exists := byKey[key]; exists {
			t.Errorf("the manifests hold %s twice", key)
		}
		byKey[key] = obj.Object
	}
	return byKey
}
