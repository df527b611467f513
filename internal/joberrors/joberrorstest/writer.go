// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joberrorstest makes Writers for tests of what a real API server can't be made to
// answer.
package joberrorstest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	restfake "k8s.io/client-go/rest/fake"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joberrors"
)

// Server answers the requests of a Writer and records them.
type Server struct {
	// Answer returns the answer to a request; nil is success.
	Answer func(*http.Request) *apierrors.StatusError

	mu       sync.Mutex
	requests []string
}

// Requests returns the requests so far, as in "PATCH /namespaces/team/joberrors/e1/status".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Writer returns a Writer whose requests the server answers.
func (s *Server) Writer(t *testing.T) *joberrors.Writer {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := joberrorv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	return joberrors.NewWriterForClient(&restfake.RESTClient{
		NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion(),
		GroupVersion:         joberrorv1.GroupVersion,
		Client:               restfake.CreateHTTPClient(s.serve),
	}, scheme, 1)
}

func (s *Server) serve(request *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.requests = append(s.requests, request.Method+" "+request.URL.Path)
	s.mu.Unlock()
	status := metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusOK}
	if s.Answer != nil {
		if err := s.Answer(request); err != nil {
			status = err.ErrStatus
		}
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	body, err := json.Marshal(status)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: int(status.Code), Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{"Content-Type": []string{runtime.ContentTypeJSON}},
	}, nil
}
