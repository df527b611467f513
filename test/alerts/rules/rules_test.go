// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package rules tests all alerts with promtool, which evaluates them on made-up series. A
// directory has the tests of the PrometheusRule in config/prometheus with the same name.
package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestAlerts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"alerts": 11, "user-alerts": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alerts := harness.Alerts(t, name)
			if len(alerts) != want {
				t.Errorf("found %d alerts, want %d", len(alerts), want)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "rules.yaml"), harness.Rules(t, name))
			harness.Promtool(t, dir, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
			for _, a := range alerts {
				t.Run(a.Name, func(t *testing.T) {
					t.Parallel()
					file := strings.ToLower(a.Name) + ".yaml"
					test, err := os.ReadFile(filepath.Join(name, file))
					if err != nil {
						t.Fatal(err)
					}
					write(t, filepath.Join(dir, file), test)
					harness.Promtool(t, dir, "test", "rules", file)
				})
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Each alert has what its reader needs.
func TestAlertsSayWhatToType(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"alerts", "user-alerts"} {
		for _, a := range harness.Alerts(t, name) {
			for _, annotation := range []string{"summary", "description", "command"} {
				if a.Annotations[annotation] == "" {
					t.Errorf("%s has no annotation %s", a.Name, annotation)
				}
			}
			if !strings.HasPrefix(a.Annotations["command"], "kubectl ") {
				t.Errorf("the command of %s is %q, want kubectl", a.Name, a.Annotations["command"])
			}
		}
	}
}

// The runbook of each alert exists.
func TestAlertsLeadToARunbook(t *testing.T) {
	t.Parallel()
	for _, a := range harness.Alerts(t, "user-alerts") {
		path, section, _ := strings.Cut(a.Annotations["runbook_url"], "#")
		if section != strings.ToLower(a.Name) || !strings.Contains(page(t, path), "\n### "+a.Name+"\n") {
			t.Errorf("the runbook of %s, %s#%s, does not exist", a.Name, path, section)
		}
	}
	for _, a := range harness.Alerts(t, "alerts") {
		if !strings.Contains(page(t, "docs/operations.md"), fmt.Sprintf("\n| `%s` |", a.Name)) {
			t.Errorf("docs/operations.md does not say what to do about %s", a.Name)
		}
	}
}

// page returns a file of the repository.
func page(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(harness.Root(), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
