// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestTheDayIsThatOfUTC(t *testing.T) {
	t.Parallel()
	for createdAt, want := range map[string]string{
		"2026-11-26T00:00:00Z":                "2026-11-26",
		"2026-11-25T23:59:59.999999999Z":      "2026-11-25",
		"2026-11-26T00:30:00+01:00":           "2026-11-25",
		"2026-11-25T23:30:00-01:00":           "2026-11-26",
		"2026-11-26T13:59:59.999+14:00":       "2026-11-25",
		"2026-11-25T12:00:00-12:00":           "2026-11-26",
		"2026-12-31T23:59:59-00:30":           "2027-01-01",
		"2024-02-29T00:00:00+00:01":           "2024-02-28",
		"2026-03-29T01:59:59.123456789+00:00": "2026-03-29",
	} {
		if got := batches([]Entry{entry(1, "load", createdAt)})[0].part.date; got != want {
			t.Errorf("%s is filed under %s, want %s", createdAt, got, want)
		}
	}
}

func TestABatchIsForANamespaceAndADay(t *testing.T) {
	t.Parallel()
	elsewhere, earlier := entry(3, "load", "2026-11-20T00:00:00Z"), entry(4, "load", "2026-11-20T00:00:00Z")
	elsewhere.Error.Namespace, earlier.NamespaceUID = "another", "00000000-earlier"
	entries := []Entry{entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "load", "2026-11-21T00:00:00Z"), elsewhere, earlier, entry(5, "first", "2026-11-20T08:00:00Z")}
	var want [][]string
	for range 20 {
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		var got [][]string
		for _, b := range batches(entries) {
			names := []string{b.part.namespace, string(b.part.namespaceUID), b.part.date}
			for _, e := range b.entries {
				names = append(names, e.Error.Name)
			}
			got = append(got, names)
		}
		if want == nil {
			want = [][]string{
				{"another", string(teamUID), "2026-11-20", "load-3"}, {"team", "00000000-earlier", "2026-11-20", "load-4"},
				{"team", string(teamUID), "2026-11-20", "first-5", "load-1"}, {"team", string(teamUID), "2026-11-21", "load-2"},
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("batches = %v, want %v", got, want)
		}
	}
	if got := batches(nil); len(got) > 0 {
		t.Errorf("no entries make the batches %v", got)
	}
}

func TestALargeBatchIsSplit(t *testing.T) {
	t.Parallel()
	small := entry(1, "load", "2026-11-20T00:00:00Z")
	if got := split(slices.Repeat([]Entry{small}, 2*MaxRecords+1)); len(got) != 3 || len(got[0]) != MaxRecords || len(got[2]) != 1 {
		t.Errorf("split returned %d groups", len(got))
	}
	large := entry(1, "load", "2026-11-20T00:00:00Z")
	large.Error.Spec.Message = strings.Repeat("x", 32768)
	annotated := entry(1, "load", "2026-11-20T00:00:00Z")
	annotated.Error.Annotations = map[string]string{"note": strings.Repeat("x", 200<<10)}
	if got := split(slices.Repeat([]Entry{annotated}, 100)); len(got) != 2 {
		t.Errorf("split returned %d groups of entries with long annotations, want 2", len(got))
	}
	groups, total := split(slices.Repeat([]Entry{large}, 1000)), 0
	for _, group := range groups {
		total += len(group)
		if bytes := len(group) * Size(large.Error); bytes > maxBytes {
			t.Errorf("a group has %d bytes", bytes)
		}
	}
	if total != 1000 || len(groups) != 2 {
		t.Errorf("%d groups have %d entries, want 2 with 1000", len(groups), total)
	}
}
