// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

const jsonType = "application/json"

// read lets readBody read a PUT with this body; an empty type sends none.
func read(ctx context.Context, contentType, content string) (*body, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPut, "/jobs/backup/joberrors/resolve", strings.NewReader(content))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return readBody(httptest.NewRecorder(), r)
}

// statusOf is what a client gets for an error. One that is no API status would
// be a 500.
func statusOf(t *testing.T, err error) metav1.Status {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Fatalf("%v (%T) is no API status", err, err)
	}
	return status.Status()
}

// namesList is a JSON array of so many names.
func namesList(count int) string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("%q", fmt.Sprintf("e%d", i))
	}
	return "[" + strings.Join(names, ",") + "]"
}

func TestReadBodyAccepts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, contentType, body string
		want                    body
	}{
		{name: "nothing means everything"},
		{name: "blanks mean everything", body: " \r\n\t"},
		{name: "nothing of whatever type means everything", contentType: "text/plain"},
		{name: "an empty object means everything", contentType: jsonType, body: `{}`},
		{name: "a reason alone means everything", contentType: jsonType, body: `{"reason":"fixed upstream"}`, want: body{reason: "fixed upstream"}},
		{name: "errors are names", contentType: jsonType, body: `{"errors":["e2","e1"]}`, want: body{names: []string{"e2", "e1"}}},
		{name: "errorIds are names", contentType: jsonType, body: `{"errorIds":["e1"]}`, want: body{names: []string{"e1"}}},
		{name: "a name may have dots and dashes", contentType: jsonType, body: `{"errors":["backup-2.e1"]}`, want: body{names: []string{"backup-2.e1"}}},
		{name: "a reason may stand beside errors", contentType: jsonType, body: `{"reason":"fixed","errors":["e1"]}`,
			want: body{names: []string{"e1"}, reason: "fixed"}},
		{name: "a missing type is taken for JSON", body: `{"errors":["e1"]}`, want: body{names: []string{"e1"}}},
		{name: "a charset may follow the type", contentType: "application/json; charset=utf-8", body: `{"errors":["e1"]}`, want: body{names: []string{"e1"}}},
		{name: "blanks may stand around", contentType: jsonType, body: "\n {\"errors\":[\"e1\"]} \n", want: body{names: []string{"e1"}}},
		{name: "an array is of records", contentType: jsonType, body: `[{"_id":"e1","resolved":true},{"message":"late","resolved":false}]`,
			want: body{records: []resolvev1.Record{{ID: "e1", Resolved: true}, {Message: "late"}}}},
		{name: "an empty array is of no records, not everything", contentType: jsonType, body: `[]`, want: body{records: []resolvev1.Record{}}},
		{name: "a record's unknown fields are passed over", contentType: jsonType, body: `[{"_id":"e1","traceKey":7,"legacyId":{"a":[1]}}]`,
			want: body{records: []resolvev1.Record{{ID: "e1"}}}},
		{name: "a record may be nested as deep as the limit", contentType: jsonType, body: `[{"x":[[[[[[1]]]]]]}]`,
			want: body{records: []resolvev1.Record{{}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t.Context(), tc.contentType, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, tc.want) {
				t.Errorf("body = %#v, want %#v", *got, tc.want)
			}
		})
	}
}

func TestReadBodyReadsARecordWhole(t *testing.T) {
	t.Parallel()
	got, err := read(t.Context(), jsonType, `[{"_id":"e1","_userId":"alice","_jobId":"backup","_retryId":"r","createdAt":"2026-11-05T10:15:00Z",
		"resolved":true,"code":"429","extract":"in","generate":"out","extracted":"1","generated":"2","message":"late","source":"crm"}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := resolvev1.Record{ID: "e1", UserID: "alice", JobID: "backup", RetryID: "r", CreatedAt: "2026-11-05T10:15:00Z", Resolved: true,
		Code: "429", Extract: "in", Generate: "out", Extracted: "1", Generated: "2", Message: "late", Source: "crm"}
	if len(got.records) != 1 || got.records[0] != want {
		t.Errorf("records = %+v, want %+v", got.records, want)
	}
}

func TestReadBodyAcceptsWhatIsJustSmallEnough(t *testing.T) {
	t.Parallel()
	thousand, err := read(t.Context(), jsonType, `{"errors":`+namesList(1000)+`}`)
	if err != nil || len(thousand.names) != 1000 {
		t.Errorf("a thousand names: %v", err)
	}
	reason := strings.Repeat("r", maxReason)
	long, err := read(t.Context(), jsonType, `{"reason":"`+reason+`"}`)
	if err != nil || long.reason != reason {
		t.Errorf("the longest reason: %v", err)
	}
	// An array of so many empty records has two tokens for each and two of its own.
	many, err := read(t.Context(), jsonType, `[`+strings.Repeat(`{},`, maxTokens/2-2)+`{}]`)
	if err != nil || len(many.records) != maxTokens/2-1 {
		t.Errorf("the most records: %v", err)
	}
	full := `[{"message":"` + strings.Repeat("m", maxBodyBytes-len(`[{"message":""}]`)) + `"}]`
	largest, err := read(t.Context(), jsonType, full)
	if err != nil || len(full) != maxBodyBytes || len(largest.records) != 1 {
		t.Errorf("the largest body, of %d bytes: %v", len(full), err)
	}
}
