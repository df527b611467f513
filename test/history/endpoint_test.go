// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// viewer returns a user who may view a namespace.
func viewer(t *testing.T, namespace string) *rest.Config {
	t.Helper()
	name := "viewer-of-" + namespace
	cluster.Grant(t, namespace, name, "view")
	return cluster.User(t, name)
}

// get asks for the archived errors of a job.
func get(t *testing.T, user *rest.Config, namespace, job, query string) harness.Response {
	t.Helper()
	return harness.Do(t, user, http.MethodGet, harness.JobErrorsPath(namespace, job)+"?archived=true&"+query, "")
}

// records returns the records of an answer, and fails the test if it is not a success.
func records(t *testing.T, r harness.Response) []resolvev1.ArchivedRecord {
	t.Helper()
	if r.Code != http.StatusOK {
		t.Fatalf("answer = %d %s", r.Code, r.Body)
	}
	var all []resolvev1.ArchivedRecord
	if err := json.Unmarshal(r.Body, &all); err != nil {
		t.Fatalf("answer = %s: %v", r.Body, err)
	}
	return all
}

func names(all []resolvev1.ArchivedRecord) []string {
	list := []string{}
	for i := range all {
		list = append(list, all[i].ID)
	}
	return list
}

// wantNames fails the test unless an answer has these records.
func wantNames(t *testing.T, r harness.Response, want ...string) {
	t.Helper()
	if got := names(records(t, r)); !slices.Equal(got, want) {
		t.Errorf("records = %q, want %q", got, want)
	}
}

func TestArchivedRecords(t *testing.T) {
	ns := cluster.Namespace(t)
	user := viewer(t, ns)
	var errs []*joberrorv1.JobError
	for day := range 5 {
		errs = append(errs, expired(ns, fmt.Sprint("row-", day+1), "load", noon(day+1)))
	}
	keep(t, append(errs, expired(ns, "other", "import", noon(3)))...)
	// The same record twice, as after a crash between the write and the deletion.
	keep(t, errs[1])

	t.Run("by name and by UID", func(t *testing.T) {
		want := []string{"row-5", "row-4", "row-3", "row-2", "row-1"}
		wantNames(t, get(t, user, ns, "load", ""), want...)
		wantNames(t, get(t, user, ns, "uid-of-load", ""), want...)
	})
	t.Run("a record is whole", func(t *testing.T) {
		all := records(t, get(t, user, ns, "load", "limit=1"))
		if len(all) != 1 {
			t.Fatalf("%d records, want 1", len(all))
		}
		r, je := all[0], errs[4]
		if r.CreatedAt != je.Spec.CreatedAt || r.Message != je.Spec.Message || !r.Resolved || r.JobID != "load" || r.RetryID != "1" ||
			r.Archived.UID != je.UID || r.Archived.ResolvedBy != "ada" || r.Archived.Occurrences != 3 || r.Archived.Job != "load" || r.Archived.At == nil {
			t.Errorf("record = %+v, want %+v", r, je)
		}
	})
	t.Run("in a range of time", func(t *testing.T) {
		wantNames(t, get(t, user, ns, "load", "since="+url.QueryEscape("2026-01-02T12:00:00Z")+"&until="+url.QueryEscape("2026-01-04T14:00:00+02:00")), "row-3", "row-2")
		wantNames(t, get(t, user, ns, "load", "since=1h"))
	})
	t.Run("page by page", func(t *testing.T) {
		var got []string
		next := ""
		for range 10 {
			r := get(t, user, ns, "load", "limit=2&continue="+next)
			got = append(got, names(records(t, r))...)
			if next = r.Header.Get(resolvev1.HeaderContinue); next == "" {
				break
			}
			if r.Header.Get(resolvev1.HeaderArchiveThrough) == "" {
				t.Error("a page lacks the day that it covers")
			}
		}
		// Another page may have a record again.
		got = slices.Compact(got)
		if want := []string{"row-5", "row-4", "row-3", "row-2", "row-1"}; next != "" || !slices.Equal(got, want) {
			t.Errorf("pages have %q, and more is %t; want %q", got, next != "", want)
		}
		first := get(t, user, ns, "load", "limit=2")
		if r := get(t, user, ns, "import", "continue="+first.Header.Get(resolvev1.HeaderContinue)); r.Code != http.StatusBadRequest {
			t.Errorf("with the position of another job: %d %s, want 400", r.Code, r.Body)
		}
	})
	t.Run("a job that nobody knows has no records", func(t *testing.T) {
		r := get(t, user, ns, "never-existed", "")
		if r.Code != http.StatusOK || strings.TrimSpace(string(r.Body)) != "[]" || r.Header.Get(resolvev1.HeaderArchiveSkipped) != "0" {
			t.Errorf("answer = %d %s %v, want 200 []", r.Code, r.Body, r.Header)
		}
	})
	t.Run("live records are as before", func(t *testing.T) {
		if r := harness.Do(t, user, http.MethodGet, harness.JobErrorsPath(ns, "load"), ""); r.Code != http.StatusNotFound {
			t.Errorf("live records of a job that is gone: %d %s, want 404", r.Code, r.Body)
		}
		if r := harness.Do(t, user, http.MethodGet, harness.JobErrorsPath(ns, "load")+"?since=1d", ""); r.Code != http.StatusUnprocessableEntity {
			t.Errorf("live records since a time: %d %s, want 422", r.Code, r.Body)
		}
	})
	t.Run("parameters are checked", func(t *testing.T) {
		for query, want := range map[string]string{"from=1d": "from: ", "limit=501": "limit: ", "since=tomorrow": "since: ", "resolved=true": "resolved: "} {
			if r := get(t, user, ns, "load", query); r.Code != http.StatusUnprocessableEntity || !strings.Contains(string(r.Body), want) {
				t.Errorf("%s: %d %s, want 422 that names the parameter", query, r.Code, r.Body)
			}
		}
	})
	t.Run("only for those who may read the namespace", func(t *testing.T) {
		other := cluster.Namespace(t)
		for _, user := range []*rest.Config{cluster.User(t, "nobody"), viewer(t, other)} {
			if r := get(t, user, ns, "load", ""); r.Code != http.StatusForbidden {
				t.Errorf("answer = %d %s, want 403", r.Code, r.Body)
			}
		}
		wantNames(t, get(t, viewer(t, other), other, "load", ""))
	})
}

func TestANamespaceThatWasCreatedAgainHasNoHistory(t *testing.T) {
	ns := cluster.Namespace(t)
	keep(t, expired(ns, "secret-1", "load", noon(1)), expired(ns, "secret-2", "load", noon(2)))
	user := viewer(t, ns)
	first := get(t, user, ns, "load", "limit=1")
	wantNames(t, first, "secret-2")

	namespace := harness.Get(t, cluster.Client, "", ns, &corev1.Namespace{})
	if err := cluster.Client.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		err := cluster.Client.Get(t.Context(), harness.Key("", ns), &corev1.Namespace{})
		if !apierrors.IsNotFound(err) {
			return fmt.Sprintf("namespace %s still exists: %v", ns, err)
		}
		return ""
	})
	harness.Create(t, cluster.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	user = viewer(t, ns)
	wantNames(t, get(t, user, ns, "load", ""))
	if r := get(t, user, ns, "load", "continue="+first.Header.Get(resolvev1.HeaderContinue)); r.Code != http.StatusGone {
		t.Errorf("a position of the old namespace: %d %s, want 410", r.Code, r.Body)
	}

	// Even a file of the old namespace under the name of the new one has none of its rows.
	old, current := string(namespace.UID), string(uidOf(t, ns))
	for _, path := range objects(t, ns) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(strings.ReplaceAll(path, old, current), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, get(t, user, ns, "load", ""))
	keep(t, expired(ns, "own", "load", noon(3)))
	wantNames(t, get(t, user, ns, "load", ""), "own")
}

func TestFilesThatCannotBeReadAreSkipped(t *testing.T) {
	ns := cluster.Namespace(t)
	user := viewer(t, ns)
	keep(t, expired(ns, "good", "load", noon(1)), expired(ns, "cut-off", "load", noon(2)))
	paths := objects(t, ns)
	if len(paths) != 2 {
		t.Fatalf("files = %q, want one for each day", paths)
	}
	damaged := paths[slices.IndexFunc(paths, func(path string) bool { return strings.Contains(path, "date=2026-01-02") })]
	data, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(filepath.Dir(damaged), "README.txt")
	if err := os.WriteFile(foreign, []byte("of somebody else"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := get(t, user, ns, "load", "")
	wantNames(t, r, "good")
	skipped, warnings := r.Header.Get(resolvev1.HeaderArchiveSkipped), strings.Join(r.Header.Values("Warning"), "\n")
	if skipped != "2" || !strings.Contains(warnings, filepath.Base(damaged)) || !strings.Contains(warnings, filepath.Base(foreign)) {
		t.Errorf("%s skipped, warnings %q, want 2 and the names of the files", skipped, warnings)
	}
}
