// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	api := newAPIServer(t)
	c := listen(t, &rest.Config{Host: api.URL})
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/apis/joberror.io/v1/joberrors?limit=500&continue=abc", 200},
		{"GET", "/apis/joberror.io/v1/joberrors?watch=1&resourceVersion=7&allowWatchBookmarks=true", 200},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors", 200},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/b.c-1", 200},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrorresolutions?fieldSelector=spec._jobId%3Db", 200},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrorretries", 200},
		{"GET", "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/joberrors?archived=true&limit=100&continue=abc", 200},
		{"PUT", "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/joberrors/unresolve", 200},
		{"POST", "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/retry", 200},
		{"GET", "/apis/batch/v1/jobs?limit=500", 200},
		{"GET", "/apis/batch/v1/namespaces/a/jobs/b", 200},
		{"GET", "/apis/batch/v1/namespaces/a/cronjobs/b", 200},
		{"GET", "/api/v1/namespaces/a/pods/b/log?container=main&tailLines=500", 200},
		{"POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", 200},
		{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 200},

		// Other resources.
		{"GET", "/api/v1/secrets", 404},
		{"GET", "/api/v1/namespaces/a/secrets/b", 404},
		{"GET", "/api/v1/namespaces/a/pods", 404},
		{"GET", "/api/v1/namespaces/a/pods/b", 404},
		{"GET", "/api/v1/namespaces/a/pods/b/exec", 404},
		{"GET", "/api/v1/namespaces/a/pods/b/log/c", 404},
		{"GET", "/apis", 404},
		{"GET", "/apis/", 404},
		{"GET", "/apis/joberror.io/v1", 404},
		{"GET", "/apis/joberror.io/v1/watch/joberrors", 404},
		{"GET", "/apis/joberror.io/v2/joberrors", 404},
		{"GET", "/apis/batch/v1/namespaces/a/jobs/b/status", 404},
		{"GET", "/APIS/joberror.io/v1/joberrors", 404},
		{"GET", "/metrics", 404},
		{"GET", "/openapi/v3", 404},

		// Other methods.
		{"DELETE", "/apis/joberror.io/v1/joberrors", 405},
		{"POST", "/apis/joberror.io/v1/namespaces/a/joberrors", 405},
		{"PATCH", "/apis/joberror.io/v1/namespaces/a/joberrors", 405},
		{"PATCH", "/apis/joberror.io/v1/namespaces/a/joberrors/b/status", 404},
		{"PATCH", "/apis/joberror.io/v1/namespaces/a/joberrors/b?force=true", 403},
		{"PATCH", "/apis/batch/v1/namespaces/a/jobs/b", 405},
		{"DELETE", "/apis/batch/v1/namespaces/a/jobs/b", 405},
		{"GET", "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/retry", 405},
		{"POST", "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/joberrors", 405},
		{"TRACE", "/apis/joberror.io/v1/joberrors", 405},
		{"POST", "/", 405},
		{"PUT", "/settings.json", 405},

		// Other parameters, and watches of what may only be read.
		{"GET", "/apis/batch/v1/jobs?watch=1", 403},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/b?watch=1", 403},
		{"GET", "/api/v1/namespaces/a/pods/b/log?follow=true", 403},
		{"GET", "/api/v1/namespaces/a/pods/b/log?insecureSkipTLSVerifyBackend=true", 403},
		{"PUT", "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/joberrors/resolve?fieldManager=x", 403},
		{"GET", "/apis/batch/v1/jobs?limit=1;watch=1", 400},

		// Ways to climb out of the list.
		{"GET", "/apis/joberror.io/v1/namespaces/../joberrors", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/..", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/.", 404},
		{"GET", "/apis/joberror.io/v1/../../../api/v1/secrets", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/%2e%2e/joberrors", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a%2fsecrets/joberrors", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/b%2Fstatus", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/b%3Fwatch=1", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a/joberrors/%252e%252e", 404},
		{"GET", "/apis//joberror.io/v1/joberrors", 404},
		{"GET", "/apis/joberror.io/v1/joberrors/", 404},
		{"GET", "/apis/joberror.io/v1/namespaces/a\\b/joberrors", 404},
		{"GET", "/static/index.html", 404},
		{"GET", "/vendor", 404},
		{"GET", "/lib/../../console.go", 404},
	} {
		api.last = nil
		response, body := c.do(t, tc.method, tc.path, "")
		if response.StatusCode != tc.want {
			t.Errorf("%s %s = %d, want %d: %s", tc.method, tc.path, response.StatusCode, tc.want, body)
		}
		if forwarded := api.last != nil; forwarded != (tc.want == 200) {
			t.Errorf("%s %s: forwarded = %t", tc.method, tc.path, forwarded)
		}
	}
}

// Go's client does not send these paths.
func TestRefusesOddPaths(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"//apis/joberror.io/v1/joberrors", "/\\apis", "*", "/apis/joberror.io/v1/joberrors/\u00e4"} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
		if err == nil && checkPath(nil, r) == nil {
			t.Errorf("path %s is accepted", path)
		}
	}
}
