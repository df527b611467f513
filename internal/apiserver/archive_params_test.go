// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func parseQuery(t *testing.T, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// wantInvalid fails the test unless the error is a 422 whose message has each of the texts.
func wantInvalid(t *testing.T, err error, texts ...string) {
	t.Helper()
	status := statusOf(t, err)
	if status.Code != http.StatusUnprocessableEntity {
		t.Errorf("status = %d %q, want 422", status.Code, status.Message)
	}
	for _, text := range texts {
		if !strings.Contains(status.Message, text) {
			t.Errorf("message = %q, want it to have %q", status.Message, text)
		}
	}
}

func TestIsArchived(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		query   string
		want    bool
		invalid string
	}{
		{query: ""},
		{query: "archived="},
		{query: "archived=false&limit=3&resolved=true"},
		{query: "archived=true&since=1d", want: true},
		{query: "archived=yes", invalid: `archived: Unsupported value: "yes"`},
		{query: "since=1d", invalid: "since: Forbidden: may be used only with archived=true"},
		{query: "archived=false&until=1d", invalid: "until: Forbidden"},
	} {
		t.Run(tc.query, func(t *testing.T) {
			t.Parallel()
			got, err := isArchived(parseQuery(t, tc.query))
			if tc.invalid != "" {
				wantInvalid(t, err, tc.invalid)
			} else if err != nil || got != tc.want {
				t.Errorf("isArchived = %t, %v, want %t", got, err, tc.want)
			}
		})
	}
}

func TestParseArchiveRequest(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, query string
		want        archiveRequest
		// invalid holds what the message must say.
		invalid []string
	}{
		{name: "no limits", want: archiveRequest{limit: maxArchivePage}},
		{name: "empty parameters are ignored", query: "since=&until=&limit=&continue=", want: archiveRequest{limit: maxArchivePage}},
		{name: "ages", query: "since=90d&until=36h", want: archiveRequest{limit: maxArchivePage, since: now.AddDate(0, 0, -90), until: now.Add(-36 * time.Hour)}},
		{name: "times", query: "since=2026-01-02T03:04:05Z&until=2026-02-01T00:00:00%2B02:00&limit=7&continue=x", want: archiveRequest{
			since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), until: time.Date(2026, 1, 31, 22, 0, 0, 0, time.UTC), limit: 7, next: "x"}},
		{name: "what clients add is allowed", query: "timeout=30s&pretty=true", want: archiveRequest{limit: maxArchivePage}},
		{name: "no unit", query: "since=90", invalid: []string{`since: Invalid value: "90": must be a time in RFC 3339, or how long ago`}},
		{name: "a negative age", query: "until=-1h", invalid: []string{"until: Invalid value"}},
		{name: "a date without a time", query: "since=2026-01-02", invalid: []string{"since: Invalid value"}},
		{name: "before the year 0 in UTC", query: "since=0000-01-01T00:00:00%2B12:00", invalid: []string{"since: Invalid value", "must be a time in RFC 3339"}},
		{name: "after the year 9999 in UTC", query: "until=9999-12-31T23:00:00-12:00", invalid: []string{"until: Invalid value"}},
		{name: "the wrong order", query: "since=1d&until=2d", invalid: []string{`since: Invalid value: "1d": must be before until`}},
		{name: "an empty range", query: "since=1d&until=1d", invalid: []string{"must be before until"}},
		{name: "limits", query: "limit=0", invalid: []string{"limit: Invalid value", "must be a number from 1 to 500"}},
		{name: "a large limit", query: "limit=501", invalid: []string{"limit: Invalid value"}},
		{name: "an unknown parameter", query: "from=1d", invalid: []string{"from: Forbidden", "since, until, limit, continue"}},
		{name: "a parameter of live records", query: "resolved=true", invalid: []string{"resolved: Forbidden"}},
		{name: "twice", query: "since=1d&since=2d", invalid: []string{"since: Invalid value", "may be used only once"}},
		{name: "all problems are named", query: "since=x&until=y&limit=z", invalid: []string{"since: ", "until: ", "limit: "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseArchiveRequest(parseQuery(t, "archived=true&"+tc.query), now)
			if len(tc.invalid) > 0 {
				wantInvalid(t, err, tc.invalid...)
			} else if err != nil || got != tc.want {
				t.Errorf("parseArchiveRequest = %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
}
