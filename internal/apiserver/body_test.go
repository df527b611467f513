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

// read calls readBody with a PUT of this content to resolve errors. An empty content type means
// no header.
func read(ctx context.Context, contentType, content string) (*resolveBody, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPut, "/jobs/backup/joberrors/resolve", strings.NewReader(content))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return readBody(httptest.NewRecorder(), r, true)
}

// statusOf returns the API status of an error.
func statusOf(t *testing.T, err error) metav1.Status {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Fatalf("error = %v (%T), want an API status", err, err)
	}
	return status.Status()
}

// namesList returns a JSON array of count names.
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
		want                    resolveBody
	}{
		{name: "an empty body means every open error"},
		{name: "blanks mean every open error", body: " \r\n\t"},
		{name: "an empty body may have any type", contentType: "text/plain"},
		{name: "an empty object means every open error", contentType: jsonType, body: `{}`},
		{name: "a reason alone means every open error", contentType: jsonType, body: `{"reason":"fixed upstream"}`, want: resolveBody{reason: "fixed upstream"}},
		{name: "errors are names", contentType: jsonType, body: `{"errors":["e2","e1"]}`, want: resolveBody{names: []string{"e2", "e1"}}},
		{name: "errorIds are names", contentType: jsonType, body: `{"errorIds":["e1"]}`, want: resolveBody{names: []string{"e1"}}},
		{name: "a name may have dots and dashes", contentType: jsonType, body: `{"errors":["backup-2.e1"]}`, want: resolveBody{names: []string{"backup-2.e1"}}},
		{name: "errors with a reason", contentType: jsonType, body: `{"reason":"fixed","errors":["e1"]}`,
			want: resolveBody{names: []string{"e1"}, reason: "fixed"}},
		{name: "a missing type means JSON", body: `{"errors":["e1"]}`, want: resolveBody{names: []string{"e1"}}},
		{name: "the type may have a charset", contentType: "application/json; charset=utf-8", body: `{"errors":["e1"]}`, want: resolveBody{names: []string{"e1"}}},
		{name: "blanks around the object are ignored", contentType: jsonType, body: "\n {\"errors\":[\"e1\"]} \n", want: resolveBody{names: []string{"e1"}}},
		{name: "an array holds records", contentType: jsonType, body: `[{"_id":"e1","resolved":true},{"message":"late","resolved":false}]`,
			want: resolveBody{records: &recordIndex{resolved: true, records: []indexedRecord{{id: "e1"}}}}},
		{name: "an empty array holds no records", contentType: jsonType, body: `[]`, want: resolveBody{records: &recordIndex{resolved: true}}},
		{name: "unknown fields of a record are ignored", contentType: jsonType, body: `[{"resolved":false},{"_id":"e1","resolved":true,"traceKey":7,"legacyId":{"a":[1]}}]`,
			want: resolveBody{records: &recordIndex{resolved: true, records: []indexedRecord{{index: 1, id: "e1"}}}}},
		{name: "a record may be nested up to the limit", contentType: jsonType, body: `[{"x":[[[[[[1]]]]]]}]`,
			want: resolveBody{records: &recordIndex{resolved: true}}},
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

func TestReadBodyReadsEveryFieldOfARecord(t *testing.T) {
	t.Parallel()
	got, err := read(t.Context(), jsonType, `[{"_userId":"alice","_jobId":"backup","_retryId":"r","createdAt":"2026-11-05T10:15:00Z",
		"resolved":true,"code":"429","extract":"in","generate":"out","extracted":"1","generated":"2","message":"late","source":"crm"}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := indexedRecord{owner: recordOwner{user: "alice", job: "backup"}, content: digestOf(&resolvev1.Record{CreatedAt: "2026-11-05T10:15:00Z",
		Code: "429", Extract: "in", Generate: "out", Extracted: "1", Generated: "2", Message: "late", Source: "crm"})}
	if len(got.records.records) != 1 || got.records.records[0] != want {
		t.Errorf("records = %+v, want %+v", got.records, want)
	}
}

func TestReadBodyAcceptsBodiesAtTheLimits(t *testing.T) {
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
	// An empty record has two tokens, and the array has two.
	many, err := read(t.Context(), jsonType, `[`+strings.Repeat(`{},`, maxTokens/2-2)+`{}]`)
	if err != nil || many.records == nil {
		t.Errorf("the most records: %v", err)
	}
	full := `[{"message":"` + strings.Repeat("m", maxBodyBytes-len(`[{"message":""}]`)) + `"}]`
	largest, err := read(t.Context(), jsonType, full)
	if err != nil || len(full) != maxBodyBytes || largest.records == nil {
		t.Errorf("the largest body, of %d bytes: %v", len(full), err)
	}
}
