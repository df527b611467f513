// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/internal/plugin/rows"
)

func TestRefusalEncode(t *testing.T) {
	t.Parallel()
	for row, want := range map[string]string{
		`{"code":"x"}`: `{"line":7,"code":422,"message":"no","row":{"code":"x"}}`,
		`{oops`:        `{"line":7,"code":422,"message":"no","row":"{oops"}`,
	} {
		got, err := refusal{rows.Row{Number: 7, JSON: []byte(row)}, 422, "no"}.encode()
		if err != nil || string(got) != want {
			t.Errorf("%s: encoded as %s, %v; want %s", row, got, err, want)
		}
	}
}

func TestRefusalsListOnlyTheFirst(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "refused")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := &refusals{out: &out, file: file}
	for i := range maxListedRefusals + 1 {
		if err := r.add(refusal{rows.Row{Number: i + 1, JSON: []byte("{}")}, 422, "no"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(written), "\n"); n != maxListedRefusals+1 {
		t.Errorf("the file has %d lines, want all %d", n, maxListedRefusals+1)
	}
	last := fmt.Sprintf("line %d: no\n", maxListedRefusals)
	if strings.Count(out.String(), "\n") != maxListedRefusals || !strings.HasSuffix(out.String(), last) {
		t.Errorf("listed\n%s\nwant %d lines, the last one %s", out.String(), maxListedRefusals, last)
	}
}
