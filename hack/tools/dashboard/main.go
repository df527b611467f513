// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command dashboard prints the Grafana dashboard of the operator as JSON. With the flag -queries,
// it reads a dashboard from standard input instead and prints its queries, one JSON object per
// line, after it has checked their syntax.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	queries := flag.Bool("queries", false, "print the queries of the dashboard on standard input")
	flag.Parse()
	err := error(nil)
	if *queries {
		err = printQueries(os.Stdin, os.Stdout)
	} else {
		err = printDashboard(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func printDashboard(out io.Writer) error {
	built, err := newDashboard().Build()
	if err != nil {
		return fmt.Errorf("build the dashboard: %w", err)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	// An expression with > stays readable.
	encoder.SetEscapeHTML(false)
	return encoder.Encode(built)
}

func printQueries(in io.Reader, out io.Writer) error {
	queries, err := readQueries(in)
	if err != nil {
		return err
	}
	var errs []error
	encoder := json.NewEncoder(out)
	for _, query := range queries {
		errs = append(errs, query.check(), encoder.Encode(query))
	}
	return errors.Join(errs...)
}
