//go:build sql

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archivesql

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// answer holds the rows of a statement in JSON, or its error.
type answer struct {
	Rows  []json.RawMessage
	Error string
}

// lines returns the rows.
func (a *answer) lines(t *testing.T) []string {
	t.Helper()
	if a.Error != "" {
		t.Fatal(a.Error)
	}
	rows := make([]string, len(a.Rows))
	for i, row := range a.Rows {
		rows[i] = string(row)
	}
	return rows
}

// run runs statements in an engine, duckdb or clickhouse, one after the other. Its time zone is
// not UTC.
func run(t *testing.T, engine string, statements ...string) []answer {
	t.Helper()
	input, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", engine+".mjs")
	node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
	node.Env = append(os.Environ(), "TZ=America/New_York")
	output, err := node.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(output, &answers); err != nil {
		t.Fatalf("parse the answers of %s, %s: %v", engine, output, err)
	}
	if len(answers) != len(statements) {
		t.Fatalf("%s gave %d answers to %d statements", engine, len(answers), len(statements))
	}
	return answers
}
