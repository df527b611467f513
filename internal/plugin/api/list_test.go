// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestErrorsReadsEachPage(t *testing.T) {
	t.Parallel()
	var queries []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		page, next := r.URL.Query().Get("continue"), "2"
		if page == "2" {
			next = ""
		}
		if page == "" {
			page = "1"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"kind":"JobErrorList","apiVersion":"joberror.io/v1","metadata":{"continue":%q},
			"items":[{"kind":"JobError","apiVersion":"joberror.io/v1","metadata":{"name":"e-%s"},"spec":{"_jobId":"load","newField":"%s"}}]}`, next, page, page)
	}))
	t.Cleanup(server.Close)
	c, err := New(&rest.Config{Host: server.URL}, meta.NewDefaultRESTMapper(nil))
	if err != nil {
		t.Fatal(err)
	}
	var kept []*joberrorv1.JobError
	for je, err := range c.Errors(t.Context(), client.InNamespace("team"), client.MatchingFields{"spec.resolved": "false"}) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, je)
	}
	if len(kept) != 2 || kept[0].Name != "e-1" || kept[1].Name != "e-2" {
		t.Errorf("Errors = %v, want e-1 and e-2", kept)
	}
	want := []string{"fieldSelector=spec.resolved%3Dfalse&limit=500", "continue=2&fieldSelector=spec.resolved%3Dfalse&limit=500"}
	if !slices.Equal(queries, want) {
		t.Errorf("queries = %q, want %q", queries, want)
	}
	var fields []any
	for object, err := range c.ErrorObjects(t.Context(), client.InNamespace("team")) {
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, object.Object["spec"].(map[string]any)["newField"])
	}
	if !slices.Equal(fields, []any{"1", "2"}) {
		t.Errorf("ErrorObjects has the new fields %v, want 1 and 2", fields)
	}
}
