// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"net/http"
	"testing"
)

// roundTrip is a transport that calls a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestReadsOfSecretsSelectOne(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, method, url, want string }{
		{"a list", http.MethodGet, "/api/v1/namespaces/ns/secrets?limit=500", "fieldSelector=metadata.name%3Done&limit=500"},
		{"a watch", http.MethodGet, "/api/v1/namespaces/ns/secrets?watch=true", "fieldSelector=metadata.name%3Done&watch=true"},
		{"a create", http.MethodPost, "/api/v1/namespaces/ns/secrets", ""},
		{"a get", http.MethodGet, "/api/v1/namespaces/ns/secrets/one", ""},
		{"another resource", http.MethodGet, "/api/v1/namespaces/ns/pods?limit=500", "limit=500"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), tc.method, "https://localhost"+tc.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			before, sent := request.URL.RawQuery, ""
			transport := selectSecret{name: "one", next: roundTrip(func(r *http.Request) (*http.Response, error) {
				sent = r.URL.RawQuery
				return &http.Response{Body: http.NoBody}, nil
			})}
			response, err := transport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if sent != tc.want {
				t.Errorf("query = %q, want %q", sent, tc.want)
			}
			if request.URL.RawQuery != before {
				t.Errorf("the caller's request changed to %q", request.URL.RawQuery)
			}
		})
	}
}
