// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestEachQueryOfTheDashboardParses(t *testing.T) {
	t.Parallel()
	var dashboard, queries bytes.Buffer
	if err := printDashboard(&dashboard); err != nil {
		t.Fatal(err)
	}
	if err := printQueries(&dashboard, &queries); err != nil {
		t.Error(err)
	}
	if n := strings.Count(queries.String(), "\n"); n < 20 {
		t.Errorf("found %d queries, want at least 20", n)
	}
}

func TestNamesABrokenPanel(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ dashboard, want string }{
		{`{"panels":[]}`, "the dashboard has no queries"},
		{`{"panels":[{"title":"A","type":"stat"}]}`, `the panel "A" has no query`},
		{`{"panels":[{"title":"A","targets":[{"expr":"sum("}]}]}`, `the panel "A": 1:5: parse error`},
		{`{"panels":[{"title":"A","targets":[{"expr":"up{job=\"$job\"}"}]}]}`, `the panel "A" uses an unknown variable`},
		{`{"panels":[{"title":"A","targets":[{"expr":"{job=\"x\"}"}]}]}`, `the panel "A" has a selector without a metric's name`},
	} {
		err := printQueries(strings.NewReader(tc.dashboard), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error of %s = %v, want %q", tc.dashboard, err, tc.want)
		}
	}
}
