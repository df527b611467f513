//go:build sql

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archivesql

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// months holds the errors of each month by class.
var months = []string{
	`{"month":"2026-01","class":"application","errors":1}`,
	`{"month":"2026-02","class":"application","errors":2}`,
	`{"month":"2026-02","class":"resources","errors":1}`,
	`{"month":"2026-03","class":"image","errors":1}`,
}

// wanted holds the rows of each query in docs/archive.md, by engine and name.
var wanted = map[string][]string{
	"duckdb view": nil,
	"duckdb job": {
		`{"created_at":"2026-01-31 23:59:59+00","code":"E42","occurrences":2,"message":"it's E42","resolved_at":"2026-02-01 00:29:59+00","resolved_by":"jane"}`,
		`{"created_at":"2026-02-01 00:00:00+00","code":"E43","occurrences":2,"message":"it's E43","resolved_at":null,"resolved_by":null}`,
	},
	"duckdb months": months,
	"duckdb cronjobs": {
		`{"namespace":"shop","cronjob":"nightly-import","errors":3,"never_resolved":1,"minutes_to_resolve":60}`,
		`{"namespace":"2026","cronjob":"report","errors":1,"never_resolved":0,"minutes_to_resolve":10}`,
	},
	"duckdb resolvers": {`{"resolved_by":"jane","errors":3,"example":"it's E1"}`},
	"duckdb labels":    {`{"team":"payments","errors":3}`, `{"team":null,"errors":2}`},
	"duckdb namespaces": {
		`{"namespace":"2026","namespace_uid":"year","errors":1,"first":"2026-02-01 10:00:00+00","last":"2026-02-01 10:00:00+00"}`,
		`{"namespace":"shop","namespace_uid":"shop-1","errors":3,"first":"2026-01-31 23:59:59+00","last":"2026-02-02 08:00:00+00"}`,
		`{"namespace":"shop","namespace_uid":"shop-2","errors":1,"first":"2026-03-01 08:00:00+00","last":"2026-03-01 08:00:00+00"}`,
	},
	// With the duplicate, and in a file of its own.
	"duckdb files":      {`{"files":6,"records":6}`},
	"duckdb compact":    {`{"Count":"1"}`},
	"clickhouse months": months,
}

// block matches a query of docs/archive.md that is marked as tested.
var block = regexp.MustCompile("(?s)<!-- test: (\\w+) (\\w+) -->\n```sql\n(.*?)```")

type query struct{ engine, name, sql string }

// queries returns those of docs/archive.md, with the directory of an archive in place of a bucket.
func queries(t *testing.T, dir string) []query {
	t.Helper()
	page, err := os.ReadFile("../../docs/archive.md")
	if err != nil {
		t.Fatal(err)
	}
	local := strings.NewReplacer("s3://BUCKET", dir, "s3('https://BUCKET", "file('"+dir)
	var all []query
	for _, match := range block.FindAllStringSubmatch(string(page), -1) {
		all = append(all, query{match[1], match[1] + " " + match[2], local.Replace(match[3])})
	}
	if marked := strings.Count(string(page), "<!-- test:"); marked != len(all) {
		t.Fatalf("docs/archive.md marks %d queries, of which %d could be read", marked, len(all))
	}
	return all
}

func TestQueriesOfTheDocs(t *testing.T) {
	all := queries(t, newArchive(t))
	for name := range wanted {
		named(t, all, name)
	}
	for _, engine := range []string{"duckdb", "clickhouse"} {
		var statements, names []string
		for _, q := range all {
			if q.engine == engine {
				statements, names = append(statements, q.sql), append(names, q.name)
			}
		}
		for i, answer := range run(t, engine, statements...) {
			t.Run(names[i], func(t *testing.T) {
				rows, want := answer.lines(t), wanted[names[i]]
				if !slices.Equal(rows, want) {
					t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	}
}

func TestDuckDBOpensOnlyTheFilesOfTheFolders(t *testing.T) {
	all := queries(t, newArchive(t))
	view := named(t, all, "duckdb view")
	answers := run(t, "duckdb", view,
		"EXPLAIN ANALYZE SELECT message FROM errors WHERE namespace = 'shop' AND date >= '2026-02-02'",
		"SELECT DISTINCT typeof(namespace) AS namespace, typeof(date) AS date, typeof(cluster) AS cluster FROM errors WHERE namespace = '2026'")
	if plan := strings.Join(answers[1].lines(t), "\n"); !strings.Contains(plan, "Scanning Files: 2/6") {
		t.Errorf("the query opens other files than those of its 2 folders:\n%s", plan)
	}
	if types := answers[2].lines(t); !slices.Equal(types, []string{`{"namespace":"VARCHAR","date":"VARCHAR","cluster":"VARCHAR"}`}) {
		t.Errorf("the folders are columns of the types %v, want texts", types)
	}
}

func TestACompactedCopyAnswersTheSame(t *testing.T) {
	dir := newArchive(t)
	place := dir + "-COMPACT"
	all := queries(t, dir)
	view, job := named(t, all, "duckdb view"), named(t, all, "duckdb job")
	columns := "SELECT cluster, namespace, date, * EXCLUDE (cluster, namespace, date) FROM errors ORDER BY uid"
	answers := run(t, "duckdb", view, strings.Replace(named(t, all, "duckdb compact"), "'2026-01-31'", "'2026-12-31'", 1),
		columns, job, "DROP VIEW errors", strings.ReplaceAll(view, dir, place), columns, job,
		strings.ReplaceAll(named(t, all, "duckdb files"), dir, place))
	for i, name := range []string{"all columns", "the query for a Job"} {
		if want, got := answers[2+i].lines(t), answers[6+i].lines(t); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s of the copy:\n%s\nwant:\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if files := answers[8].lines(t); !slices.Equal(files, []string{`{"files":5,"records":5}`}) {
		t.Errorf("the copy has %v, want 5 files with 5 records", files)
	}
	// The page says that the operator does not read the copy.
	for place, want := range map[string]int{dir: 2, place: 0} {
		if got := history(t, place); got != want {
			t.Errorf("the operator finds %d records in %s, want %d", got, place, want)
		}
	}
}

// named returns the query with a name.
func named(t *testing.T, all []query, name string) string {
	t.Helper()
	i := slices.IndexFunc(all, func(q query) bool { return q.name == name })
	if i < 0 {
		t.Fatalf("docs/archive.md lacks the query %q", name)
	}
	return all[i].sql
}
