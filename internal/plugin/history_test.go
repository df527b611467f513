// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// archivePages answers with a page for each value of ?continue, "" for the first one.
type archivePages map[string]archiveResponse

type archiveResponse struct {
	// code is 200 if it is 0.
	code   int
	header map[string]string
	body   string
	// before is called before the answer is sent.
	before func()
}

// historyOf runs history against these pages, and returns the requests that it sent.
func historyOf(t *testing.T, pages archivePages, args ...string) (code int, stdout, stderr string, asked []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
		page, ok := pages[r.URL.Query().Get("continue")]
		if !ok {
			t.Errorf("an unexpected request: %s", r.URL)
		}
		if page.before != nil {
			page.before()
		}
		if page.code == http.StatusTeapot {
			cancel()
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		for name, value := range page.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(max(page.code, http.StatusOK))
		fmt.Fprint(w, page.body)
	}))
	defer server.Close()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	args = append([]string{"history"}, args...)
	args = append(args, "--server="+server.URL, "--namespace=team")
	code = Run(ctx, args, streams)
	return code, out.String(), errOut.String(), asked
}

// archivedRow returns a record with this name that happened on a day of January 2026.
func archivedRow(name string, day int) string {
	return fmt.Sprintf(`{"_id":%q,"_jobId":"load","_retryId":"1","createdAt":"2026-01-%02dT10:00:00Z","resolved":true,"code":"422","message":"row of %s\nsecond line","archived":{"uid":"uid-%s","class":"application","resolvedBy":"ada","at":"2026-02-01T00:00:00Z"}}`, name, day, name, name)
}

func twoPages() archivePages {
	return archivePages{
		"": {header: map[string]string{"Joberror-Archive-Skipped": "0", "Joberror-Archive-Through": "2026-01-20", "Joberror-Continue": "p2"},
			body: "[" + archivedRow("b", 21) + "," + archivedRow("c", 22) + "]"},
		"p2": {header: map[string]string{"Joberror-Archive-Skipped": "1", "Joberror-Archive-Through": "2026-01-02", "Warning": `299 - "a part of the archive was skipped: \"part-x.parquet\""`},
			body: "[" + archivedRow("b", 21) + "," + archivedRow("a", 3) + "]"},
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	code, out, stderr, asked := historyOf(t, twoPages(), "job/load", "--since=2026-01-01T00:00:00Z")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "CREATED") {
		t.Fatalf("history = %q, want a header and 3 errors", out)
	}
	for i, name := range []string{"c", "b", "a"} {
		if !strings.Contains(lines[i+1], "row of "+name) || !strings.Contains(lines[i+1], "resolved") || strings.Contains(lines[i+1], "second line") {
			t.Errorf("line %d = %q, want the error %s", i+1, lines[i+1], name)
		}
	}
	for _, want := range []string{`Warning: a part of the archive was skipped: "part-x.parquet"`, "1 part of the archive was skipped"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr = %q, want %q", stderr, want)
		}
	}
	path := "/apis/resolve.joberror.io/v1/namespaces/team/jobs/load/joberrors?archived=true"
	if len(asked) != 2 || asked[0] != path+"&since=2026-01-01T00%3A00%3A00Z" || asked[1] != path+"&continue=p2&since=2026-01-01T00%3A00%3A00Z" {
		t.Errorf("requests = %q", asked)
	}
}

func TestHistoryFormats(t *testing.T) {
	t.Parallel()
	var records []resolvev1.ArchivedRecord
	_, out, _, _ := historyOf(t, twoPages(), "load", "-o", "json")
	if err := json.Unmarshal([]byte(out), &records); err != nil || len(records) != 3 || records[0].ID != "c" || records[0].Archived.ResolvedBy != "ada" {
		t.Errorf("-o json = %s, %v", out, err)
	}
	records = nil
	_, out, _, _ = historyOf(t, twoPages(), "load", "-o", "yaml")
	if err := yaml.Unmarshal([]byte(out), &records); err != nil || len(records) != 3 || records[2].ID != "a" {
		t.Errorf("-o yaml = %s, %v", out, err)
	}
	if _, out, _, _ = historyOf(t, twoPages(), "load", "-o", "name", "--limit=1"); out != "joberror.joberror.io/c\n" {
		t.Errorf("-o name --limit=1 = %q", out)
	}
	if _, out, _, _ = historyOf(t, twoPages(), "load", "-o", "wide"); !strings.Contains(out, "RESOLVED BY") || !strings.Contains(out, "ada") {
		t.Errorf("-o wide = %q", out)
	}
	empty := archivePages{"": {header: map[string]string{"Joberror-Archive-Skipped": "0"}, body: "[]"}}
	if code, out, stderr, _ := historyOf(t, empty, "load", "-o", "json"); code != exitOK || out != "[]\n" || stderr != "" {
		t.Errorf("an empty history in JSON = %d %q %q", code, out, stderr)
	}
	if code, out, stderr, _ := historyOf(t, empty, "load"); code != exitOK || out != "" || stderr != "No archived errors found.\n" {
		t.Errorf("an empty history = %d %q %q", code, out, stderr)
	}
}

func TestHistoryEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	code, out, stderr, asked := historyOf(t, twoPages(), "load", "--limit=2")
	if code != exitOK || strings.Count(out, "\n") != 3 || len(asked) != 1 || !strings.Contains(stderr, "There are more errors") {
		t.Errorf("exit code %d after %d requests, stdout %q, stderr %q", code, len(asked), out, stderr)
	}
}

// The pages of a day are not sorted by time, so a later page may have newer errors.
func TestHistoryReadsTheLastDayToItsEnd(t *testing.T) {
	t.Parallel()
	page := func(through, next string, rows ...string) archiveResponse {
		return archiveResponse{header: map[string]string{"Joberror-Archive-Skipped": "0", "Joberror-Archive-Through": through, "Joberror-Continue": next},
			body: "[" + strings.Join(rows, ",") + "]"}
	}
	at := func(name, createdAt string) string {
		return strings.ReplaceAll(archivedRow(name, 1), "2026-01-01T10:00:00Z", createdAt)
	}
	for name, tc := range map[string]struct {
		pages archivePages
		// want are the errors that are shown, and asked the number of requests.
		want  string
		asked int
	}{
		"the day goes on": {archivePages{
			"":   page("2026-01-20", "p2", at("a", "2026-01-20T01:00:00Z"), at("b", "2026-01-20T02:00:00Z")),
			"p2": page("2026-01-20", "p3", at("c", "2026-01-20T03:00:00Z")),
			"p3": page("2026-01-19", "p4", at("d", "2026-01-20T04:00:00Z"), at("e", "2026-01-19T23:00:00Z")),
		}, "d c", 3},
		"the day goes on until the archive ends": {archivePages{
			"":   page("2026-01-20", "p2", at("a", "2026-01-20T01:00:00Z"), at("b", "2026-01-20T02:00:00Z")),
			"p2": page("2026-01-20", "", at("c", "2026-01-20T03:00:00Z")),
		}, "c b", 2},
		"the last one is of an earlier day": {archivePages{
			"":   page("2026-01-19", "p2", at("a", "2026-01-20T01:00:00Z"), at("b", "2026-01-19T02:00:00Z")),
			"p2": page("2026-01-18", "p3", at("c", "2026-01-19T03:00:00Z"), at("d", "2026-01-18T03:00:00Z")),
		}, "a c", 2},
		"the page has gone further": {archivePages{
			"": page("2026-01-19", "p2", at("a", "2026-01-20T01:00:00Z"), at("b", "2026-01-20T02:00:00Z"), at("c", "2026-01-19T02:00:00Z")),
		}, "b a", 1},
		"days are in UTC": {archivePages{
			"":   page("2026-01-19", "p2", at("a", "2026-01-20T01:00:00+02:00"), at("b", "2026-01-20T00:30:00+02:00")),
			"p2": page("2026-01-18", "p3", at("c", "2026-01-19T23:59:59Z")),
		}, "c a", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, stderr, asked := historyOf(t, tc.pages, "load", "--limit=2", "-o", "name")
			got := strings.Fields(strings.ReplaceAll(out, "joberror.joberror.io/", ""))
			if code != exitOK || strings.Join(got, " ") != tc.want || len(asked) != tc.asked || !strings.Contains(stderr, "There are more errors") {
				t.Errorf("exit code %d, %q after %d requests, want %q after %d; stderr %q", code, got, len(asked), tc.want, tc.asked, stderr)
			}
		})
	}
}

func TestHistoryEndsOnCtrlC(t *testing.T) {
	t.Parallel()
	pages := twoPages()
	pages["p2"] = archiveResponse{code: http.StatusTeapot}
	code, out, stderr, _ := historyOf(t, pages, "load")
	if code != exitInterrupted || strings.Count(out, "\n") != 3 || !strings.HasSuffix(stderr, "searched back to 2026-01-20. To go on: --until=2026-01-21T00:00:00Z\n") || strings.Contains(stderr, "error:") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, stderr)
	}
	if code, out, _, _ = historyOf(t, pages, "load", "-o", "json"); code != exitInterrupted || out != "" {
		t.Errorf("in JSON: exit code %d, stdout %q, want 130 and nothing", code, out)
	}
}

func TestHistoryErrors(t *testing.T) {
	t.Parallel()
	status := func(code int, reason, message, details string) archiveResponse {
		return archiveResponse{code: code, body: fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":%q,"details":{%s}}`, code, reason, message, details)}
	}
	for name, tc := range map[string]struct {
		first archiveResponse
		text  string
	}{
		"no archive":            {status(404, "NotFound", "no archive", `"causes":[{"reason":"NoArchive"}]`), "without --archive-url"},
		"no right":              {status(403, "Forbidden", "User \"x\" cannot get", ""), "cannot get"},
		"no aggregated API":     {archiveResponse{code: 503, body: "service unavailable"}, "kubectl joberrors check"},
		"an older operator":     {archiveResponse{body: "[]"}, "older than this plugin"},
		"an answer of another":  {archiveResponse{header: map[string]string{"Joberror-Archive-Skipped": "0"}, body: "<html>"}, "decode archived errors"},
		"the archive is broken": {status(503, "ServiceUnavailable", "the archive can't be read", ""), "the archive can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, stderr, _ := historyOf(t, archivePages{"": tc.first}, "load")
			if code != exitFailed || out != "" || !strings.Contains(stderr, tc.text) {
				t.Errorf("exit code %d, stdout %q, stderr %q, want 1 and %q", code, out, stderr, tc.text)
			}
		})
	}
}

func TestHistoryWaitsForABusyOperator(t *testing.T) {
	t.Parallel()
	pages := twoPages()
	whole := pages[""]
	pages[""] = archiveResponse{code: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "1"},
		body:   `{"kind":"Status","apiVersion":"v1","status":"Failure","code":429,"reason":"TooManyRequests","message":"busy"}`,
		before: func() { pages[""] = whole }}
	code, out, stderr, asked := historyOf(t, pages, "load", "-o", "name")
	if code != exitOK || strings.Count(out, "\n") != 3 || len(asked) != 3 {
		t.Errorf("exit code %d after %d requests, stdout %q, stderr %q", code, len(asked), out, stderr)
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"":                     {},
		"30d":                  now.AddDate(0, 0, -30),
		"2026-01-01T00:00:00Z": now.AddDate(0, 0, -30),
	} {
		if got, err := moment(value, now); err != nil || !got.Equal(want) {
			t.Errorf("moment(%q) = %s, %v, want %s", value, got, err, want)
		}
	}
}
