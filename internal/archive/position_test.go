// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// at returns a position of a query.
func at(q Query, date, object string, rows int) position {
	return position{Query: q.hash(), NamespaceUID: q.NamespaceUID, Date: date, Object: object, Rows: rows}
}

func TestAForgedContinueIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	write(t, s, entry(1, "load", "2026-11-20T00:00:00Z"))
	q, other := query("load"), query("other")
	file := strings.Repeat("a", 24) + ".parquet"
	for name, p := range map[string]position{
		"a path":                     at(q, "2026-11-20", "../../"+file, 0),
		"a name of another UID":      at(q, "2026-11-20", "part-other-"+file, 0),
		"no day":                     at(q, "today", file, 0),
		"a day with a path":          at(q, "2026-11-20/../2026-11-21", file, 0),
		"a negative row":             at(q, "2026-11-20", file, -1),
		"too many rows":              at(q, "2026-11-20", file, maxRows+1),
		"rows of no object":          at(q, "2026-11-20", "", 1),
		"no query":                   {NamespaceUID: teamUID, Date: "2026-11-20", Object: file},
		"that of another Job":        at(other, "2026-11-20", file, 0),
		"a day that does not exist":  at(q, "2026-02-30", file, 0),
		"an object that is a folder": at(q, "2026-11-20", file+"/", 0),
	} {
		forged := q
		forged.Continue = p.encode()
		if _, err := s.Find(t.Context(), forged); !errors.Is(err, ErrContinue) {
			t.Errorf("%s: Find returned %v, want ErrContinue", name, err)
		}
	}
	good := at(q, "2026-11-20", file, 0).encode()
	for name, value := range map[string]string{
		"text": "hello", "no JSON": "aGVsbG8", "padding": good + "=", "a space": " " + good,
		"another field": base64.RawURLEncoding.EncodeToString([]byte(`{"q":"` + q.hash() + `","d":"2026-11-20","namespace":"other"}`)),
	} {
		forged := q
		forged.Continue = value
		if _, err := s.Find(t.Context(), forged); !errors.Is(err, ErrContinue) {
			t.Errorf("%s: Find returned %v, want ErrContinue", name, err)
		}
	}
	q.Continue = at(q, "2026-11-20", strings.Repeat("f", 24)+".parquet", maxRows).encode()
	if page, err := s.Find(t.Context(), q); err != nil || len(page.Records) > 0 {
		t.Errorf("after the last object: found %v: %v", page.Records, err)
	}
}

func TestTheNextPageHasTheLimitsOfTheFirst(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	write(t, s, entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "load", "2026-11-21T00:00:00Z"), entry(3, "load", "2026-11-22T00:00:00Z"))
	q := query("load")
	q.Since, q.Limit = time.Date(2026, time.November, 21, 1, 0, 0, 0, time.FixedZone("", 3600)), 1
	first, err := s.Find(t.Context(), q)
	if err != nil || first.Continue == "" {
		t.Fatalf("the first page is %+v: %v", first, err)
	}
	q.Since, q.Continue = time.Time{}, first.Continue
	if records, _, _ := findAll(t, s, q); !slices.Equal(namesOf(records), []string{"load-2"}) {
		t.Errorf("the next pages have %v, want load-2 only", namesOf(records))
	}
	q.NamespaceUID = "a-later-namespace"
	if _, err := s.Find(t.Context(), q); !errors.Is(err, ErrNamespace) {
		t.Errorf("in a namespace that was created again: %v, want ErrNamespace", err)
	}
}

// FuzzContinue looks for a token that is accepted and is not one of ours.
func FuzzContinue(f *testing.F) {
	q := query("load")
	f.Add(at(q, "2026-11-20", strings.Repeat("a", 24)+".parquet", 3).encode())
	f.Add(at(q, "2026-11-20", "", 0).encode())
	f.Add("e30")
	f.Fuzz(func(t *testing.T, value string) {
		q := query("load")
		q.Continue = value
		p, err := q.start()
		if err != nil {
			if !errors.Is(err, ErrContinue) && !errors.Is(err, ErrNamespace) {
				t.Fatalf("start(%q) = %v, want ErrContinue or ErrNamespace", value, err)
			}
			return
		}
		if value == "" {
			return
		}
		if p.encode() != value || p.NamespaceUID != teamUID || strings.Contains(p.Date+p.Object, "/") {
			t.Fatalf("start(%q) = %+v", value, p)
		}
	})
}
