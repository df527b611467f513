// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// refusing returns a store whose server answers each request with a status and a code of S3. Each
// answer has another request ID, as those of S3.
func refusing(t *testing.T, status int, code string) *Store {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		id := requests.Add(1)
		w.Header().Set("X-Amz-Request-Id", fmt.Sprint(id))
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>This is why.</Message><RequestId>%d</RequestId><HostId>%d</HostId></Error>", code, id, id)
	}))
	t.Cleanup(server.Close)
	s, err := Open(t.Context(), "s3://bucket?region=us-east-1&use_path_style=true&endpoint="+server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAnErrorOfS3HasOneText(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	for _, tc := range []struct {
		status       int
		code, reason string
		text         string
	}{
		{403, "AccessDenied", ReasonForbidden, "the store refuses the access or the credentials: AccessDenied: This is why."},
		{403, "InvalidAccessKeyId", ReasonForbidden, "the store refuses the access or the credentials: InvalidAccessKeyId: This is why."},
		{400, "ExpiredToken", ReasonForbidden, "the store refuses the access or the credentials: ExpiredToken: This is why."},
		{404, "NoSuchBucket", ReasonNoBucket, "the bucket does not exist: NoSuchBucket: This is why."},
		{403, "QuotaExceeded", ReasonNoSpace, "the store is full: QuotaExceeded: This is why."},
		{400, "InvalidRequest", ReasonUnavailable, "InvalidRequest: This is why."},
	} {
		s := refusing(t, tc.status, tc.code)
		_, first := s.Write(t.Context(), cluster, []Entry{entry(1, "load", "2026-11-20T00:00:00Z")})
		_, second := s.Write(t.Context(), cluster, []Entry{entry(1, "load", "2026-11-20T00:00:00Z")})
		if first == nil || second == nil || first.Error() != second.Error() || !strings.HasSuffix(first.Error(), ": "+tc.text) || Reason(first) != tc.reason {
			t.Errorf("%s: %s: %v, then %v; want %s: %s", tc.code, Reason(first), first, second, tc.reason, tc.text)
		}
		if _, err := s.Find(t.Context(), query("load")); err == nil || !strings.HasSuffix(err.Error(), ": "+tc.text) || Reason(err) != tc.reason {
			t.Errorf("%s: Find: %s: %v", tc.code, Reason(err), err)
		}
	}
}
