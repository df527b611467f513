// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command alerts checks the expressions in PrometheusRule files and prints the names
// of the metrics that they use.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

type rules struct {
	Spec struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
}

func main() {
	metrics := map[string]bool{}
	var errs []error
	for _, path := range os.Args[1:] {
		errs = append(errs, read(path, metrics))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for metric := range metrics {
		fmt.Println(metric)
	}
}

// read adds the metrics that a file's alerts use.
func read(path string, metrics map[string]bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var file rules
	if err := yaml.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var errs []error
	n := 0
	for _, group := range file.Spec.Groups {
		for _, rule := range group.Rules {
			n++
			if err := add(rule.Expr, metrics); err != nil {
				errs = append(errs, fmt.Errorf("%s: alert %s: %w", path, rule.Alert, err))
			}
		}
	}
	if n == 0 {
		errs = append(errs, fmt.Errorf("%s: has no rules", path))
	}
	return errors.Join(errs...)
}

func add(expr string, metrics map[string]bool) error {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return err
	}
	for _, matchers := range parser.ExtractSelectors(parsed) {
		i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == labels.MetricName })
		if i < 0 {
			return errors.New("a selector without a metric's name")
		}
		metrics[matchers[i].Value] = true
	}
	return nil
}
