// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
)

// namespaces is a reader of the namespaces with these names and UIDs.
type namespaces map[string]types.UID

func (n namespaces) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("the operator may not get namespaces")
}

func (n namespaces) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	for name, uid := range n {
		list.(*metav1.PartialObjectMetadataList).Items = append(list.(*metav1.PartialObjectMetadataList).Items,
			metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, UID: uid}})
	}
	return nil
}

// answers is a store that returns a page, or an error, and keeps the last query.
type answers struct {
	page  archive.Page
	err   error
	asked archive.Query
}

func (a *answers) Find(_ context.Context, query archive.Query) (archive.Page, error) {
	a.asked = query
	return a.page, a.err
}

// responder keeps the error of an answer.
type responder struct{ err error }

func (r *responder) Object(int, runtime.Object) {}
func (r *responder) Error(err error)            { r.err = err }

// getArchived sends a request for the archived errors of the job team/backup.
func getArchived(t *testing.T, source *archiveSource, query string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	got := &responder{}
	e := &jobEndpoint{backend: &backend{archive: source}, namespace: "team", id: "backup", responder: got}
	w := httptest.NewRecorder()
	e.serveList(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jobs/backup/joberrors?archived=true&"+query, nil))
	return w, got.err
}

func archivedObject(t *testing.T, namespace, name string) archive.Record {
	t.Helper()
	je := joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name)}}
	je.Spec.JobID, je.Spec.CreatedAt, je.Spec.Resolved = "backup", "2026-01-02T03:04:05.000+01:00", true
	je.Status.ResolvedBy, je.Status.Job = "ada", &joberrorv1.JobReference{Name: "backup", UID: "job-1"}
	data, err := json.Marshal(je)
	if err != nil {
		t.Fatal(err)
	}
	return archive.Record{Object: string(data), ArchivedAt: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
}

var known = namespaces{"kube-system": "cluster-1", "team": "team-2", "other": "other-1"}

func TestArchivedRecords(t *testing.T) {
	t.Parallel()
	store := &answers{page: archive.Page{
		Records:  []archive.Record{archivedObject(t, "team", "row-1"), archivedObject(t, "other", "row-2"), {Object: "{"}},
		Skipped:  []archive.Problem{{Object: "part-x.parquet", Err: errors.New("not a Parquet file")}},
		Continue: "here", Through: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
	}}
	source := newArchiveSource(store, known)
	w, err := getArchived(t, source, "since=2026-01-01T00:00:00Z&limit=3")
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("answer = %d, %v", w.Code, err)
	}
	var records []resolvev1.ArchivedRecord
	if err := json.Unmarshal(w.Body.Bytes(), &records); err != nil || len(records) != 1 {
		t.Fatalf("body = %s, %v, want one record", w.Body, err)
	}
	r := records[0]
	if r.ID != "row-1" || r.CreatedAt != "2026-01-02T03:04:05.000+01:00" || !r.Resolved ||
		r.Archived.ResolvedBy != "ada" || r.Archived.UID != "uid-of-row-1" || r.Archived.JobUID != "job-1" || r.Archived.At == nil {
		t.Errorf("record = %+v", r)
	}
	if through, skipped := w.Header().Get(resolvev1.HeaderArchiveThrough), w.Header().Get(resolvev1.HeaderArchiveSkipped); through != "2026-01-02" || skipped != "3" {
		t.Errorf("through %q, %q skipped, want 2026-01-02 and 3", through, skipped)
	}
	want := archive.Query{ClusterUID: "cluster-1", Namespace: "team", NamespaceUID: "team-2", Job: "backup", Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Limit: 3}
	if !reflect.DeepEqual(store.asked, want) {
		t.Errorf("query = %+v, want %+v", store.asked, want)
	}

	if _, err = getArchived(t, source, "since=2026-01-01T00:00:00Z&limit=3&continue="+w.Header().Get(continueHeader)); err != nil {
		t.Fatal(err)
	}
	want.Continue = "here"
	if !reflect.DeepEqual(store.asked, want) {
		t.Errorf("query of the next page = %+v, want %+v", store.asked, want)
	}
}

func TestAnEmptyArchive(t *testing.T) {
	t.Parallel()
	w, err := getArchived(t, newArchiveSource(&answers{}, known), "")
	if err != nil || w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "[]" || w.Header().Get(resolvev1.HeaderArchiveSkipped) != "0" {
		t.Errorf("answer = %d %s %v, %v, want 200 and []", w.Code, w.Body, w.Header(), err)
	}
	if _, ok := w.Header()[http.CanonicalHeaderKey(continueHeader)]; ok {
		t.Error("the last page has a header for the next one")
	}
}

func TestArchiveErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		source *archiveSource
		query  string
		code   int32
		text   string
	}{
		"no archive":                    {source: newArchiveSource(nil, known), code: http.StatusNotFound, text: "--archive-url"},
		"no such namespace":             {source: newArchiveSource(&answers{}, namespaces{"kube-system": "cluster-1"}), code: http.StatusNotFound, text: "namespace team does not exist"},
		"a store that is down":          {source: newArchiveSource(&answers{err: errors.New("secret.internal: 503")}, known), code: http.StatusServiceUnavailable, text: "the archive can't be read"},
		"a position that is not one":    {source: newArchiveSource(&answers{err: archive.ErrContinue}, known), code: http.StatusBadRequest, text: "continue: "},
		"a store that is slow":          {source: newArchiveSource(&answers{err: fmt.Errorf("read: %w", context.DeadlineExceeded)}, known), code: http.StatusGatewayTimeout, text: "since, until or limit"},
		"a namespace created again":     {source: newArchiveSource(&answers{err: archive.ErrNamespace}, known), query: "continue=x", code: http.StatusGone, text: "created again"},
		"a parameter of another kind":   {source: newArchiveSource(&answers{}, known), query: "labelSelector=x", code: http.StatusUnprocessableEntity, text: "labelSelector: "},
		"parameters are checked before": {source: newArchiveSource(nil, known), query: "limit=x", code: http.StatusUnprocessableEntity, text: "limit: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := getArchived(t, tc.source, tc.query)
			status := statusOf(t, err)
			if status.Code != tc.code || !strings.Contains(status.Message, tc.text) || strings.Contains(status.Message, "secret") {
				t.Errorf("answer = %d %q, want %d and %q", status.Code, status.Message, tc.code, tc.text)
			}
		})
	}
}
