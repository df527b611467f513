// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestErrorsForABodyAreLimited(t *testing.T) {
	t.Parallel()
	var fields, duplicates []string
	for i := range 2500 {
		fields = append(fields, fmt.Sprintf(`"f%d":0`, i))
		duplicates = append(duplicates, fmt.Sprintf(`"f%d":0,"f%d":0`, i, i))
	}
	invalidNames := slices.Repeat([]string{`"` + strings.Repeat("A", 500) + `"`}, 500)
	for name, content := range map[string]string{
		"unknown fields":   `{` + strings.Join(fields, ",") + `}`,
		"duplicate fields": `{` + strings.Join(duplicates, ",") + `}`,
		"a long field":     `{"` + strings.Repeat("f", 1<<20) + `":0}`,
		"invalid names":    `{"errors":[` + strings.Join(invalidNames, ",") + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t.Context(), jsonType, content)
			status := statusOf(t, err)
			if len(status.Details.Causes) > maxProblems || len(status.Message) > 16<<10 {
				t.Errorf("status has %d causes and a message of %d bytes, want at most %d causes and 16 KiB", len(status.Details.Causes), len(status.Message), maxProblems)
			}
		})
	}
}

func TestReasonLimitCountsCharacters(t *testing.T) {
	t.Parallel()
	if _, err := read(t.Context(), jsonType, `{"reason":"`+strings.Repeat("ä", 1024)+`"}`); err != nil {
		t.Error(err)
	}
}

func TestANonJSONBlankIsMalformed(t *testing.T) {
	t.Parallel()
	if _, err := read(t.Context(), jsonType, "\u00a0"); err == nil || statusOf(t, err).Code != http.StatusBadRequest {
		t.Errorf("readBody = %v, want 400", err)
	}
}

func TestANumberOverFloat64IsValidJSON(t *testing.T) {
	t.Parallel()
	if _, err := read(t.Context(), jsonType, `[{"_id":"e1","resolved":true,"amount":1e400}]`); err != nil {
		t.Error(err)
	}
}
