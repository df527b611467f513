// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// frontCA is the CA of the API server in front.
type frontCA struct {
	dynamiccertificates.CAContentProvider
	bundle string
}

func (f *frontCA) CurrentCABundleContent() []byte { return []byte(f.bundle) }

func TestServerIsReadyOnceItKnowsItsCallers(t *testing.T) {
	t.Parallel()
	ca := &frontCA{}
	s := &Server{frontCA: ca}
	if err := s.Check(nil); err == nil || !strings.Contains(err.Error(), "has not started") {
		t.Errorf("before the start: %v", err)
	}
	s.started.Store(true)
	if err := s.Check(nil); err == nil || !strings.Contains(err.Error(), "has not read the CA") {
		t.Errorf("without the CA: %v", err)
	}
	ca.bundle = "PEM"
	if err := s.Check(nil); err != nil {
		t.Errorf("with the CA: %v", err)
	}
}

func TestReadsOfTheArchiveAreMeasuredApart(t *testing.T) {
	t.Parallel()
	info := &request.RequestInfo{IsResourceRequest: true, APIGroup: "resolve.joberror.io", Resource: "jobs", Subresource: "joberrors", Parts: []string{"jobs", "load", "joberrors"}}
	for _, tc := range []struct{ method, query, want string }{
		{http.MethodGet, "", "joberrors"},
		{http.MethodGet, "?archived=false", "joberrors"},
		{http.MethodGet, "?archived=true", "history"},
		{http.MethodPost, "?archived=true", "joberrors"},
	} {
		got := ""
		handler := markArchived(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = endpointOf(r.Context()) }))
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(request.WithRequestInfo(t.Context(), info), tc.method, "/x"+tc.query, nil))
		if got != tc.want {
			t.Errorf("%s %s is measured as %s, want %s", tc.method, tc.query, got, tc.want)
		}
	}
}
