// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package plugincheck breaks an installation in every way that kubectl joberrors check must
// notice.
package plugincheck

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/prometheus/common/version"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"joberror.io/operator/internal/plugin"
	"joberror.io/operator/internal/plugin/checks"
	"joberror.io/operator/test/harness"
)

// The tests stop the operator and delete parts of its installation.
var cluster = harness.Cluster{Installed: true, AllowLogErrors: true, FastControllers: true, Version: "v0.3.1"}

func TestMain(m *testing.M) {
	// The plugin runs in this process.
	version.Version = "v0.4.0"
	os.Exit(harness.Main(m, &cluster))
}

// check runs kubectl joberrors check, and returns the results by name and the exit code.
func check(t *testing.T, kubeconfig string, args ...string) (map[string]checks.Result, int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := plugin.Run(t.Context(), append([]string{"check", "-o", "json", "--kubeconfig", kubeconfig}, args...),
		genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &errOut})
	var report checks.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), errOut.String())
	}
	results := map[string]checks.Result{}
	for _, result := range report.Results {
		results[result.Check] = result
	}
	return results, code
}
