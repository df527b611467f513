// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// Alert is an alert of a PrometheusRule.
type Alert struct {
	Name        string `json:"alert"`
	Annotations map[string]string
}

// Rules returns the rules of a PrometheusRule in config/prometheus, such as alerts, as a rule
// file of Prometheus. The Prometheus operator writes it in the same way.
func Rules(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Root(), "config", "prometheus", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Spec map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal(data, &object); err != nil || len(object.Spec) == 0 {
		t.Fatalf("parse %s.yaml: %v", name, err)
	}
	rules, err := yaml.Marshal(object.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// Alerts returns the alerts of a PrometheusRule in config/prometheus.
func Alerts(t testing.TB, name string) []Alert {
	t.Helper()
	var file struct{ Groups []struct{ Rules []Alert } }
	if err := yaml.Unmarshal(Rules(t, name), &file); err != nil {
		t.Fatal(err)
	}
	var alerts []Alert
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			// A rule without a name records an expression.
			if rule.Name != "" {
				alerts = append(alerts, rule)
			}
		}
	}
	return alerts
}
