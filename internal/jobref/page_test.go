// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/pages"
)

// pagingServer serves errors of the Job backup, whose messages have these lengths. Its
// continue token is the index of the next error.
type pagingServer struct {
	messages []int
	limits   []int
	// largest is the size of the largest response that was accepted.
	largest int64
}

func (s *pagingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, _ := strconv.Atoi(query.Get("limit"))
	start, _ := strconv.Atoi(query.Get("continue"))
	end := min(start+limit, len(s.messages))
	s.limits = append(s.limits, limit)
	var items []string
	for i := start; i < end; i++ {
		items = append(items, fmt.Sprintf(`{"metadata":{"namespace":"team","name":"e%d"},"spec":{"_jobId":"backup","message":"%s"}}`, i, strings.Repeat("m", s.messages[i])))
	}
	next := ""
	if end < len(s.messages) {
		next = strconv.Itoa(end)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"apiVersion":"joberror.io/v1","kind":"JobErrorList","items":[%s],"metadata":{"continue":%q}}`, strings.Join(items, ","), next)
}

// reader returns a client of the server, with limited pages.
func (s *pagingServer) reader(t *testing.T) client.Reader {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	scheme := runtime.NewScheme()
	if err := joberrorv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(joberrorv1.GroupVersion.WithKind("JobError"), meta.RESTScopeNamespace)
	config := &rest.Config{Host: server.URL, QPS: -1}
	config.Wrap(func(transport http.RoundTripper) http.RoundTripper {
		return observer{pages.Limiter(transport), s}
	})
	c, err := client.New(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// observer notes the largest response that passes the limit.
type observer struct {
	http.RoundTripper
	server *pagingServer
}

func (o observer) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := o.RoundTripper.RoundTrip(r)
	if limit, ok := pages.LimitOf(r.Context()); ok && err == nil {
		o.server.largest = max(o.server.largest, limit.Read)
	}
	return response, err
}

var backup = Ref{Namespace: "team", ID: "backup", names: []string{"backup"}}

func TestPagesStaySmall(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		messages []int
		requests int
	}{
		"small errors":             {messages: slices.Repeat([]int{100}, 2000), requests: 7},
		"large errors":             {messages: slices.Repeat([]int{60 << 10}, 100), requests: 40},
		"large after small errors": {messages: append(slices.Repeat([]int{10}, 500), slices.Repeat([]int{60 << 10}, 60)...), requests: 40},
		"the largest errors":       {messages: slices.Repeat([]int{1200 << 10}, 4), requests: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &pagingServer{messages: tc.messages}
			count := 0
			for je, err := range backup.All(t.Context(), server.reader(t), ListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("e%d", count); je.Name != want {
					t.Fatalf("error = %s, want %s", je.Name, want)
				}
				count++
			}
			if count != len(tc.messages) || len(server.limits) > tc.requests {
				t.Errorf("errors = %d with requests for %v, want %d with at most %d requests", count, server.limits, len(tc.messages), tc.requests)
			}
			if server.largest > pages.MaxBytes && tc.messages[0] < pages.MaxBytes {
				t.Errorf("largest page = %d bytes, want at most %d", server.largest, pages.MaxBytes)
			}
		})
	}
}

func TestAListIsLimitedInBytes(t *testing.T) {
	t.Parallel()
	for name, messages := range map[string][]int{
		"small errors":             slices.Repeat([]int{100}, 1200),
		"large errors":             slices.Repeat([]int{60 << 10}, 60),
		"large after small errors": append(slices.Repeat([]int{10}, 40), slices.Repeat([]int{60 << 10}, 60)...),
		"large before small ones":  append(slices.Repeat([]int{60 << 10}, 30), slices.Repeat([]int{10}, 500)...),
		"the largest errors":       slices.Repeat([]int{1200 << 10}, 3),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const maxBytes = 2 << 20
			reader := (&pagingServer{messages: messages}).reader(t)
			token, listed := "", 0
			for page := 0; page == 0 || token != ""; page++ {
				errs, next, err := backup.List(t.Context(), reader, ListOptions{Limit: 1000, MaxBytes: maxBytes, Continue: token})
				if err != nil {
					t.Fatal(err)
				}
				bytes := 0
				for i := range errs {
					if want := fmt.Sprintf("e%d", listed); errs[i].Name != want {
						t.Fatalf("error = %s, want %s", errs[i].Name, want)
					}
					listed++
					bytes += len(errs[i].Spec.Message)
				}
				if len(errs) == 0 || len(errs) > 1000 || bytes > maxBytes && len(errs) > 1 {
					t.Fatalf("page %d has %d errors with %d bytes", page, len(errs), bytes)
				}
				token = next
			}
			if listed != len(messages) {
				t.Errorf("errors = %d, want %d", listed, len(messages))
			}
		})
	}
}
