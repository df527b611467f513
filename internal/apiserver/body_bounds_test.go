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

func TestARefusalIsBounded(t *testing.T) {
	t.Parallel()
	var fields, twice []string
	for i := range 2500 {
		fields = append(fields, fmt.Sprintf(`"f%d":0`, i))
		twice = append(twice, fmt.Sprintf(`"f%d":0,"f%d":0`, i, i))
	}
	badNames := slices.Repeat([]string{`"` + strings.Repeat("A", 500) + `"`}, 500)
	for name, content := range map[string]string{
		"unknown fields":     `{` + strings.Join(fields, ",") + `}`,
		"fields given twice": `{` + strings.Join(twice, ",") + `}`,
		"a long field":       `{"` + strings.Repeat("f", 1<<20) + `":0}`,
		"bad names":          `{"errors":[` + strings.Join(badNames, ",") + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t.Context(), jsonType, content)
			status := statusOf(t, err)
			if len(status.Details.Causes) > maxProblems || len(status.Message) > 16<<10 {
				t.Errorf("%d causes and a message of %d bytes for a body of %d", len(status.Details.Causes), len(status.Message), len(content))
			}
		})
	}
}

func TestAReasonIsMeasuredInCharactersAsInTheSchema(t *testing.T) {
	t.Parallel()
	if _, err := read(t.Context(), jsonType, `{"reason":"`+strings.Repeat("ä", 1024)+`"}`); err != nil {
		t.Error(err)
	}
}

func TestABlankThatIsNoneInJSONIsNotEverything(t *testing.T) {
	t.Parallel()
	if _, err := read(t.Context(), jsonType, "\u00a0"); err == nil || statusOf(t, err).Code != http.StatusBadRequest {
		t.Errorf("taken for every open error: %v", err)
	}
}

func TestANumberBeyondFloat64IsValidJSON(t *testing.T) {
	t.Parallel()
	if _, err := read(t.Context(), jsonType, `[{"_id":"e1","resolved":true,"amount":1e400}]`); err != nil {
		t.Error(err)
	}
}
