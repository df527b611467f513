// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// documented returns the part of docs/archive.md between two marks.
func documented(t *testing.T, mark string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/archive.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, begins := strings.Cut(string(page), "<!-- columns: "+mark+" -->")
	text, _, ends := strings.Cut(text, "<!-- end -->")
	if !begins || !ends {
		t.Fatalf("docs/archive.md has no columns between the marks of %s", mark)
	}
	return text
}

// found returns the submatches of a pattern in a text, joined by spaces.
func found(pattern, text string) []string {
	var all []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Join(match[1:], " "))
	}
	return all
}

// columnsOf returns the name and the type of each column of the files, as an engine calls it. The
// last two types are those of texts and times.
func columnsOf(text, at string) []string {
	var all []string
	for _, field := range parquet.SchemaOf(Record{}).Fields() {
		kind := field.Type().String()
		switch {
		case strings.HasPrefix(kind, "STRING"):
			kind = text
		case strings.HasPrefix(kind, "TIMESTAMP"):
			kind = at
		case strings.HasPrefix(kind, "INT(32"):
			kind = "int"
		}
		all = append(all, field.Name()+" "+strings.ToLower(kind))
	}
	return all
}

func TestTheDocsHaveEachColumn(t *testing.T) {
	var table []string
	for i, field := range parquet.SchemaOf(Record{}).Fields() {
		null := ""
		if field.Optional() {
			null = " yes"
		}
		table = append(table, columnsOf("text", "time")[i]+null)
	}
	rows := found("\n\\| `(\\w+)` \\| (\\w+) \\| ?(\\w*) ?\\|", documented(t, "table"))
	for i := range rows {
		rows[i] = strings.TrimSpace(rows[i])
	}
	if !slices.Equal(rows, table) {
		t.Errorf("the table of columns in docs/archive.md is\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(table, "\n"))
	}
	for engine, want := range map[string][]string{"athena": columnsOf("string", "timestamp"), "trino": columnsOf("varchar", "timestamp(3)")} {
		// The folder of the namespace is a column already.
		want = slices.DeleteFunc(want, func(column string) bool { return strings.HasPrefix(column, "namespace ") })
		got := found("\n  (\\w+) ([\\w()]+),?", documented(t, engine))
		for i := range got {
			got[i] = strings.Replace(got[i], " integer", " int", 1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the columns for %s in docs/archive.md are\n%s\nwant\n%s", engine, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
