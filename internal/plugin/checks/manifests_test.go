// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestNamesAreThoseOfTheManifests fails if an installed object is not checked, or the other way
// round.
func TestNamesAreThoseOfTheManifests(t *testing.T) {
	installed := map[string][]string{}
	kind, name := regexp.MustCompile(`(?m)^kind: (\w+)$`), regexp.MustCompile(`(?m)^  name: (\S+)$`)
	for _, object := range strings.Split(read(t, "dist/install.yaml"), "\n---\n") {
		k, n := kind.FindStringSubmatch(object)[1], name.FindStringSubmatch(object)[1]
		installed[k] = append(installed[k], n)
	}
	for kind, names := range map[string][]string{
		"ValidatingAdmissionPolicy": policyNames[validatingPolicies], "ValidatingAdmissionPolicyBinding": policyNames[validatingPolicies],
		"MutatingAdmissionPolicy": policyNames[mutatingPolicies], "MutatingAdmissionPolicyBinding": policyNames[mutatingPolicies],
		"CustomResourceDefinition": crdNames,
	} {
		want, got := slices.Sorted(slices.Values(installed[kind])), slices.Sorted(slices.Values(names))
		if !slices.Equal(want, got) {
			t.Errorf("%s: checked are %v, but installed are %v", kind, got, want)
		}
	}
}

func TestVersionsAreThoseOfTheTests(t *testing.T) {
	if chart := read(t, "charts/joberror-operator/Chart.yaml"); !strings.Contains(chart, fmt.Sprintf(`kubeVersion: ">=1.%d.0-0"`, oldestKubernetes)) {
		t.Errorf("the chart's kubeVersion is not 1.%d: %s", oldestKubernetes, chart)
	}
	for _, minor := range []int{oldestKubernetes, newestKubernetes} {
		read(t, fmt.Sprintf("hack/assets/kubernetes-1.%d/go.mod", minor))
	}
}
