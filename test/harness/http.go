// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// Response is the response to a request.
type Response struct {
	Code   int
	Header http.Header
	Body   []byte
}

// JobErrorsPath returns the path of a Job's errors in the aggregated API.
func JobErrorsPath(namespace, job string) string {
	return "/apis/resolve.joberror.io/v1/namespaces/" + namespace + "/jobs/" + job + "/joberrors"
}

// Do sends a request through the API server as a user. A header has the form "Name: value".
// The content type of a body is JSON unless a header sets another one.
func Do(t testing.TB, user *rest.Config, method, path, body string, headers ...string) Response {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(user)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, user.Host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Response{Code: response.StatusCode, Header: response.Header, Body: data}
}

// Want fails the test if the response has another status code.
func (r Response) Want(t testing.TB, code int) Response {
	t.Helper()
	if r.Code != code {
		t.Fatalf("status code = %d, want %d: %s", r.Code, code, r.Body)
	}
	return r
}

// Resolution decodes the body as a resolution.
func (r Response) Resolution(t testing.TB) *joberrorv1.JobErrorResolution {
	t.Helper()
	return decode[joberrorv1.JobErrorResolution](t, r.Body)
}

// Records decodes the body as an array of records.
func (r Response) Records(t testing.TB) []resolvev1.Record {
	t.Helper()
	return *decode[[]resolvev1.Record](t, r.Body)
}

// Status decodes the body as a Status, which the body of every error response must be.
func (r Response) Status(t testing.TB) *metav1.Status {
	t.Helper()
	status := decode[metav1.Status](t, r.Body)
	if status.Kind != "Status" || int(status.Code) != r.Code {
		t.Fatalf("body of the response with code %d is not a Status with that code: %s", r.Code, r.Body)
	}
	return status
}

func decode[T any](t testing.TB, data []byte) *T {
	t.Helper()
	value := new(T)
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("decode %T: %v: %s", value, err, data)
	}
	return value
}
