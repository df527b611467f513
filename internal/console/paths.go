// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// route is a path that the console forwards, with the methods and the query parameters that go
// with it. A segment in braces stands for one name.
type route struct {
	methods []string
	path    string
	query   []string
}

// The query parameters of requests.
var (
	listing  = []string{"limit", "continue", "labelSelector", "fieldSelector"}
	watching = append([]string{"watch", "allowWatchBookmarks", "resourceVersion", "timeoutSeconds"}, listing...)
)

// The methods of requests.
var (
	read   = []string{http.MethodGet}
	create = []string{http.MethodPost}
	update = []string{http.MethodPut}
	patch  = []string{http.MethodPatch}
)

// routes lists all that the page needs of the API server.
var routes = []route{
	// The errors, and what was done about them.
	{read, "/apis/joberror.io/v1/joberrors", watching},
	{read, "/apis/joberror.io/v1/namespaces/{namespace}/joberrors", watching},
	{read, "/apis/joberror.io/v1/namespaces/{namespace}/joberrors/{name}", nil},
	{read, "/apis/joberror.io/v1/namespaces/{namespace}/joberrorresolutions", watching},
	{read, "/apis/joberror.io/v1/namespaces/{namespace}/joberrorretries", watching},
	// The archived errors of a Job.
	{read, "/apis/resolve.joberror.io/v1/namespaces/{namespace}/jobs/{job}/joberrors", []string{"archived", "limit", "continue"}},
	// Resolve, reopen, retry.
	{update, "/apis/resolve.joberror.io/v1/namespaces/{namespace}/jobs/{job}/joberrors/resolve", nil},
	{update, "/apis/resolve.joberror.io/v1/namespaces/{namespace}/jobs/{job}/joberrors/unresolve", nil},
	{create, "/apis/resolve.joberror.io/v1/namespaces/{namespace}/jobs/{job}/retry", nil},
	// Resolve and reopen while the aggregated API is down; see patches.
	{patch, "/apis/joberror.io/v1/namespaces/{namespace}/joberrors/{name}", nil},
	// The owners of Jobs, by which errors are grouped, and the state of the runs of a lineage.
	{read, "/apis/batch/v1/jobs", listing},
	{read, "/apis/batch/v1/namespaces/{namespace}/jobs", listing},
	{read, "/apis/batch/v1/namespaces/{namespace}/jobs/{name}", nil},
	{read, "/apis/batch/v1/namespaces/{namespace}/cronjobs/{name}", nil},
	// The log of the pod that an error names.
	{read, "/api/v1/namespaces/{namespace}/pods/{name}/log", []string{"container", "tailLines", "limitBytes", "previous", "timestamps"}},
	// Who the user is, and whether a button would be refused.
	{create, "/apis/authentication.k8s.io/v1/selfsubjectreviews", nil},
	{create, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", nil},
}

// segment matches a segment of a path. The names of namespaces, Jobs, pods and JobErrors never
// need other characters, so a path with an escape, such as %2f, is not a path of the console.
var segment = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// isClean reports whether a path has neither escapes, nor empty segments, nor dots to climb with.
func isClean(r *http.Request) bool {
	requested := r.URL.EscapedPath()
	if requested == "/" {
		return true
	}
	if path.Clean(requested) != requested || !strings.HasPrefix(requested, "/") {
		return false
	}
	for part := range strings.SplitSeq(requested[1:], "/") {
		if !segment.MatchString(part) {
			return false
		}
	}
	return true
}

// isAPI reports whether a path belongs to the API server.
func isAPI(requested string) bool {
	return strings.HasPrefix(requested, "/api/") || strings.HasPrefix(requested, "/apis/")
}

// checkPath refuses paths, methods and query parameters that are not listed.
func checkPath(_ *Console, r *http.Request) *refusal {
	if !isClean(r) {
		return &refusal{http.StatusNotFound, "The path is not a path of the console."}
	}
	if !isAPI(r.URL.Path) {
		if isWrite(r) {
			return &refusal{http.StatusMethodNotAllowed, "The method is not allowed."}
		}
		return nil
	}
	refused := &refusal{http.StatusNotFound, "The console does not forward this path."}
	for _, candidate := range routes {
		if !candidate.matches(r.URL.Path) {
			continue
		}
		if !slices.Contains(candidate.methods, r.Method) {
			refused = &refusal{http.StatusMethodNotAllowed, "The console does not forward this method."}
			continue
		}
		// A semicolon makes Query drop a parameter that the API server may read.
		if strings.Contains(r.URL.RawQuery, ";") {
			return &refusal{http.StatusBadRequest, "The query must not have a semicolon."}
		}
		for parameter := range r.URL.Query() {
			if !slices.Contains(candidate.query, parameter) {
				return &refusal{http.StatusForbidden, "The console does not forward the query parameter " + parameter + "."}
			}
		}
		return nil
	}
	return refused
}

// matches reports whether a clean path is one of the route's.
func (r route) matches(requested string) bool {
	want, got := strings.Split(r.path, "/"), strings.Split(requested, "/")
	return slices.EqualFunc(want, got, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "{")
	})
}
