// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	joberrorv1 "joberror.io/operator/api/v1"
)

// errorServer serves errors, and accepts each request to change them or to run their Jobs again.
type errorServer struct {
	errors map[string]*joberrorv1.JobError
	// asked holds the accepted requests, as path and body.
	asked []string
	// after is called after each accepted request.
	after func()
}

func (s *errorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	encode := func(answer any) { _ = json.NewEncoder(w).Encode(answer) }
	if r.Method == http.MethodGet {
		if je := s.errors[path.Base(r.URL.Path)]; je != nil && strings.Contains(r.URL.Path, "/joberrors/") {
			encode(je)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound})
		return
	}
	body, _ := io.ReadAll(r.Body)
	_, under, _ := strings.Cut(r.URL.Path, "/jobs/")
	s.asked = append(s.asked, under+" "+string(body))
	if strings.HasSuffix(r.URL.Path, "/retry") {
		encode(map[string]any{"kind": "JobErrorRetry", "apiVersion": "joberror.io/v1", "metadata": map[string]any{"name": "retry-x"}})
	} else {
		encode(map[string]any{
			"kind": "JobErrorResolution", "apiVersion": "joberror.io/v1", "metadata": map[string]any{"name": "resolve-x", "namespace": "team"},
			"status": map[string]any{"matched": 1, "updated": 1, "conditions": []any{map[string]any{"type": "Complete", "status": "True"}}},
		})
	}
	if s.after != nil {
		s.after()
	}
}

// run runs the plugin against the server.
func (s *errorServer) run(ctx context.Context, t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	code = Run(ctx, append(args, "--server="+server.URL, "--namespace=team"), streams)
	return code, out.String(), errOut.String()
}

// errorsOf returns a server with errors of Jobs with this name, by the UIDs of the Jobs.
func errorsOf(job string, uids map[string]types.UID) *errorServer {
	s := &errorServer{errors: map[string]*joberrorv1.JobError{}}
	for name, uid := range uids {
		je := &joberrorv1.JobError{TypeMeta: metav1.TypeMeta{Kind: "JobError", APIVersion: "joberror.io/v1"}, Spec: joberrorv1.JobErrorSpec{JobID: job}}
		je.Name, je.Namespace = name, "team"
		if uid != "" {
			je.Status.Job = &joberrorv1.JobReference{Name: job, UID: uid}
		}
		s.errors[name] = je
	}
	return s
}

// A Job that was created again has the name of the one that failed.
func TestRetryOfAnErrorNamesItsJob(t *testing.T) {
	t.Parallel()
	s := errorsOf("load", map[string]types.UID{"old": "uid-1", "new": "uid-2", "unlinked": ""})
	code, stdout, stderr := s.run(t.Context(), t, "retry", "joberror/old", "joberror/new", "joberror/unlinked", "job/load")
	want := []string{`uid-1/retry {"errors":["old"]}`, `uid-2/retry {"errors":["new"]}`, `load/retry {"errors":["unlinked"]}`, `load/retry {}`}
	if code != exitOK || !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, exit code %d, %s; want %q", s.asked, code, stderr, want)
	}
	if want := strings.Repeat("joberrorretry/retry-x is accepted; job/load is not running yet\n", 4); stdout != want {
		t.Errorf("printed %q, want the name of the Job: %q", stdout, want)
	}
}

func TestErrorsThatAreNamedTwiceAreChangedOnce(t *testing.T) {
	t.Parallel()
	s := errorsOf("load", map[string]types.UID{"a": "uid-1", "b": "uid-1"})
	code, _, stderr := s.run(t.Context(), t, "resolve", "a", "joberror/b", "joberror/a")
	if want := []string{`load/joberrors/resolve {"errors":["a","b"]}`}; code != exitOK || !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, exit code %d, %s; want %q", s.asked, code, stderr, want)
	}
}

func TestMoreErrorsThanARequestCanName(t *testing.T) {
	t.Parallel()
	uids := map[string]types.UID{}
	args := []string{"resolve"}
	for i := range joberrorv1.MaxNamedErrors + 1 {
		name := fmt.Sprintf("e-%d", i)
		uids[name] = "uid-1"
		args = append(args, "joberror/"+name)
	}
	s := errorsOf("load", uids)
	code, _, stderr := s.run(t.Context(), t, args...)
	if code != exitOK || len(s.asked) != 2 || strings.Count(s.asked[0], "e-") != joberrorv1.MaxNamedErrors || !strings.HasPrefix(s.asked[1], "load/joberrors/e-1000/resolve") {
		t.Errorf("sent %d requests, exit code %d, %s; want 1,000 errors and then one", len(s.asked), code, stderr)
	}
}

func TestInterruptedBetweenTwoJobs(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"resolve", "retry"} {
		ctx, interrupt := context.WithCancel(t.Context())
		s := errorsOf("load", map[string]types.UID{"a": "uid-1", "b": "uid-2", "c": "uid-3"})
		s.after = interrupt
		code, _, stderr := s.run(ctx, t, command, "joberror/a", "joberror/b", "joberror/c")
		if code != exitInterrupted || len(s.asked) != 1 || strings.Count(stderr, "interrupted") != 1 {
			t.Errorf("%s sent %q, exit code %d, %q; want one request, and to say once that it was interrupted", command, s.asked, code, stderr)
		}
	}
}

func TestResolvePrintsTheRequest(t *testing.T) {
	t.Parallel()
	s := errorsOf("load", map[string]types.UID{"a": "uid-1"})
	code, stdout, stderr := s.run(t.Context(), t, "resolve", "joberror/a", "-o", "name")
	if want := "joberrorresolution.joberror.io/resolve-x\n"; code != exitOK || stdout != want || !strings.Contains(stderr, "1 of 1 error resolved") {
		t.Errorf("printed %q and %q, exit code %d; want %q on standard output", stdout, stderr, code, want)
	}
}
