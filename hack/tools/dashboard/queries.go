// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// variables replaces what Grafana replaces in a query, with values that select everything. A test
// does not take longer than the durations.
var variables = strings.NewReplacer("$__rate_interval", "10m", "$__range", "10m", "$namespace", ".*", "$class", ".*")

// query is a query of a panel.
type query struct {
	Panel string `json:"panel"`
	// Expr is the expression with its variables replaced.
	Expr string `json:"expr"`
	// Metrics holds the names of the metrics that the expression uses.
	Metrics []string `json:"metrics"`
}

// readQueries returns the queries of a dashboard and fails if a panel has none.
func readQueries(in io.Reader) ([]*query, error) {
	var file struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.NewDecoder(in).Decode(&file); err != nil {
		return nil, fmt.Errorf("read the dashboard: %w", err)
	}
	var queries []*query
	for _, panel := range file.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			return nil, fmt.Errorf("the panel %q has no query", panel.Title)
		}
		for _, target := range panel.Targets {
			queries = append(queries, &query{Panel: panel.Title, Expr: variables.Replace(target.Expr)})
		}
	}
	if len(queries) == 0 {
		return nil, errors.New("the dashboard has no queries")
	}
	return queries, nil
}

// check parses the expression and sets the metrics that it uses.
func (q *query) check() error {
	if strings.Contains(q.Expr, "$") {
		return fmt.Errorf("the panel %q uses an unknown variable: %s", q.Panel, q.Expr)
	}
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(q.Expr)
	if err != nil {
		return fmt.Errorf("the panel %q: %w", q.Panel, err)
	}
	for _, matchers := range parser.ExtractSelectors(parsed) {
		i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == labels.MetricName })
		if i < 0 {
			return fmt.Errorf("the panel %q has a selector without a metric's name", q.Panel)
		}
		q.Metrics = append(q.Metrics, matchers[i].Value)
	}
	slices.Sort(q.Metrics)
	q.Metrics = slices.Compact(q.Metrics)
	return nil
}
