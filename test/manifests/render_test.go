// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"joberror.io/operator/hack/controlplane"
)

// inRelease is how the chart is installed.
var inRelease = []string{"--namespace", "joberror-system"}

// helm runs helm as the administrator.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "helm"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig, "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("helm %v: %w: %s", args, err, problems.String())
	}
	return out.String(), nil
}

func chart() string { return filepath.Join(cluster.Root, "charts", "joberror-operator") }

// rendered are the objects of the chart with these arguments.
func rendered(t *testing.T, args ...string) objects {
	t.Helper()
	out, err := helm(t, append(append([]string{"template", "joberror-operator", chart()}, inRelease...), args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

// objects are what a file of manifests holds, by kind and name.
type objects map[string]map[string]any

func read(t *testing.T, manifests string) objects {
	t.Helper()
	list, err := controlplane.Objects([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	all := objects{}
	for _, obj := range list {
		key := obj.GetKind() + " " + obj.GetName()
		if _, twice := all[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		all[key] = obj.Object
	}
	return all
}
