// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// answering returns a client of a server that answers each request with this code and body,
// and a function that returns the last request and its body.
func answering(t *testing.T, code int, contentType, body string) (*Client, func() (*http.Request, string)) {
	t.Helper()
	var last *http.Request
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		last, sent = r, string(data)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := New(&rest.Config{Host: server.URL}, meta.NewDefaultRESTMapper(nil))
	if err != nil {
		t.Fatal(err)
	}
	return c, func() (*http.Request, string) { return last, sent }
}

func TestChangeAsksForWhatItNames(t *testing.T) {
	t.Parallel()
	c, last := answering(t, http.StatusOK, "application/json", `{"kind":"JobErrorResolution","apiVersion":"joberror.io/v1","metadata":{"name":"resolve-x"}}`)
	job := Job{Namespace: "team", ID: "load"}
	for want, call := range map[string]func() (*joberrorv1.JobErrorResolution, error){
		"PUT /apis/resolve.joberror.io/v1/namespaces/team/jobs/load/joberrors/e-1/resolve? {\"reason\":\"fixed\"}": func() (*joberrorv1.JobErrorResolution, error) {
			return c.ChangeOne(t.Context(), job, "e-1", Change{Resolved: true, Reason: "fixed"})
		},
		"PUT /apis/resolve.joberror.io/v1/namespaces/team/jobs/load/joberrors/unresolve?dryRun=All {\"errors\":[\"e-1\",\"e-2\"]}": func() (*joberrorv1.JobErrorResolution, error) {
			return c.ChangeMany(t.Context(), job, []string{"e-1", "e-2"}, Change{DryRun: true})
		},
	} {
		answer, err := call()
		if err != nil || answer.Name != "resolve-x" {
			t.Errorf("answer = %v, %v; want resolve-x", answer, err)
		}
		r, body := last()
		if got := r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery + " " + body; got != want {
			t.Errorf("request = %s, want %s", got, want)
		}
	}
}

func TestReportReturnsTheRowsOfAFailedReport(t *testing.T) {
	t.Parallel()
	c, _ := answering(t, http.StatusConflict, "application/json", `[{"_id":"a"},{"_id":"b","error":{"code":409,"message":"taken"}}]`)
	rows, err := c.Report(t.Context(), Job{Namespace: "team", ID: "load"}, []byte("[{},{}]"), false)
	if err != nil || len(rows) != 2 || rows[0].Error != nil || rows[1].Error == nil || rows[1].Error.Message != "taken" {
		t.Errorf("Report = %+v, %v; want one row that is stored and one that is not", rows, err)
	}
}

func TestReportReturnsTheStatus(t *testing.T) {
	t.Parallel()
	c, _ := answering(t, http.StatusTooManyRequests, "application/json",
		`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"TooManyRequests","message":"full","details":{"retryAfterSeconds":7},"code":429}`)
	_, err := c.Report(t.Context(), Job{Namespace: "team", ID: "load"}, []byte("[{}]"), false)
	if seconds, ok := apierrors.SuggestsClientDelay(err); !ok || seconds != 7 {
		t.Errorf("Report = %v, want an error with a delay of 7 seconds", err)
	}
	if IsUnavailable(err) {
		t.Error("IsUnavailable is true for an answer of the operator")
	}
}

func TestIsUnavailable(t *testing.T) {
	t.Parallel()
	status := func(code int) string {
		data, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "no"})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for name, tc := range map[string]struct {
		code              int
		contentType, body string
		want              bool
	}{
		"the API server reaches no operator": {http.StatusServiceUnavailable, "text/plain", "service unavailable", true},
		"the API is not installed":           {http.StatusNotFound, "text/plain", "404 page not found", true},
		"the operator knows no such job":     {http.StatusNotFound, "application/json", status(http.StatusNotFound), false},
		"the operator is busy":               {http.StatusServiceUnavailable, "application/json", status(http.StatusServiceUnavailable), false},
		"the user may not":                   {http.StatusForbidden, "application/json", status(http.StatusForbidden), false},
	} {
		c, _ := answering(t, tc.code, tc.contentType, tc.body)
		err := c.Retry(t.Context(), Job{Namespace: "team", ID: "load"}, resolvev1.RetryRequest{}, false, &joberrorv1.JobErrorRetry{})
		if err == nil || IsUnavailable(err) != tc.want {
			t.Errorf("%s: error = %v, IsUnavailable = %t, want %t", name, err, IsUnavailable(err), tc.want)
		}
	}
}
