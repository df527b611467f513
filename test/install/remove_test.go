// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestUninstallLeavesNothingBehind(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "r", "job"))
	cluster.WaitCompleted(t, ns, "r")
	t.Cleanup(func() { restore(t) })
	manifests, err := cluster.Manifests()
	if err != nil {
		t.Fatal(err)
	}
	cluster.Kubectl(t, "delete", "-f", manifests, "--timeout=180s")
	kinds := strings.Fields(cluster.Kubectl(t, "api-resources", "--verbs=list", "-o", "name"))
	for _, kind := range kinds {
		// Events record the past, and expire automatically.
		if strings.HasPrefix(kind, "events") {
			continue
		}
		for _, line := range strings.Split(cluster.Kubectl(t, "get", kind, "-A", "-o", "name", "--ignore-not-found"), "\n") {
			if strings.Contains(line, "joberror") {
				t.Errorf("%s is left after the uninstall", line)
			}
		}
	}
	if strings.Contains(strings.Join(kinds, " "), "joberror") {
		t.Errorf("API resources are left after the uninstall: %v", kinds)
	}
	cluster.Kubectl(t, "delete", "namespace", ns, "--timeout=60s")
}
