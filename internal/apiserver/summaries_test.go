// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/endpoints/request"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref/jobreftest"
)

// followed returns summaries that follow a fake cache, and functions that change an error in
// both.
type followed struct {
	*summaries
	cache client.Client
	errs  map[string]*joberrorv1.JobError
}

func follow(t *testing.T) *followed {
	t.Helper()
	cache := jobreftest.Cache(t, interceptor.Funcs{})
	return &followed{summaries: emptySummaries(cache), cache: cache, errs: map[string]*joberrorv1.JobError{}}
}

// at returns a createdAt in this minute.
func at(minute int) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.Spec.CreatedAt = fmt.Sprintf("2026-11-05T10:%02d:00Z", minute) }
}

func linkedTo(name, uid string) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Status.Job = &joberrorv1.JobReference{Name: name, UID: types.UID(uid)}
	}
}

func (f *followed) set(t *testing.T, name string, edits ...func(*joberrorv1.JobError)) {
	t.Helper()
	je := newError(name, "message of "+name, edits...)
	je.Namespace = cmp.Or(je.Namespace, "team")
	before := f.errs[name]
	if before == nil {
		if err := f.cache.Create(t.Context(), je.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		f.OnAdd(&je, false)
	} else {
		f.OnUpdate(before, &je)
	}
	f.errs[name] = &je
}

func (f *followed) delete(t *testing.T, name string) {
	t.Helper()
	if err := f.cache.Delete(t.Context(), f.errs[name]); err != nil {
		t.Fatal(err)
	}
	f.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "team/" + name, Obj: f.errs[name]})
	delete(f.errs, name)
}

// expect checks the summaries in the namespace team, as "name: total/open message".
func (f *followed) expect(t *testing.T, want ...string) {
	t.Helper()
	storage := &jobStorage{cache: f.cache, summaries: f.summaries}
	list, err := storage.List(request.WithNamespace(t.Context(), "team"), &internalversion.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range list.(*resolvev1.JobSummaryList).Items {
		got = append(got, fmt.Sprintf("%s: %d/%d %s", j.Name, j.Total, j.Open, j.LastMessage))
	}
	if !slices.Equal(got, want) {
		t.Errorf("summaries = %q, want %q", got, want)
	}
}

func TestSummariesFollowTheErrors(t *testing.T) {
	t.Parallel()
	f := follow(t)
	f.expect(t)
	f.set(t, "a", at(1))
	f.set(t, "c", at(3), setResolved)
	f.set(t, "b", at(2))
	f.set(t, "other", at(9), func(je *joberrorv1.JobError) { je.Spec.JobID = "another" })
	f.set(t, "elsewhere", at(9), func(je *joberrorv1.JobError) { je.Namespace = "elsewhere" })
	f.expect(t, "another: 1/1 message of other", "backup: 3/2 message of c")
	f.set(t, "a", at(1), setResolved)
	f.set(t, "c", at(3), func(je *joberrorv1.JobError) { je.Spec.Message = "corrected" })
	f.expect(t, "another: 1/1 message of other", "backup: 3/2 corrected")
	f.delete(t, "c")
	f.expect(t, "another: 1/1 message of other", "backup: 2/1 message of b")
	f.delete(t, "a")
	f.delete(t, "other")
	f.expect(t, "backup: 1/1 message of b")
	f.delete(t, "b")
	f.expect(t)
	f.delete(t, "elsewhere")
	if len(f.byName.namespaces)+len(f.byID.namespaces) > 0 {
		t.Errorf("summaries without errors = %v, %v, want none", f.byName.namespaces, f.byID.namespaces)
	}
}

func TestAnErrorMovesToTheJobItIsLinkedTo(t *testing.T) {
	t.Parallel()
	f := follow(t)
	byUID := func(je *joberrorv1.JobError) { je.Spec.JobID = "1b-job" }
	f.set(t, "a", byUID)
	f.expect(t, "1b-job: 1/1 message of a")
	f.set(t, "a", byUID, linkedTo("backup", "1b-job"))
	f.expect(t, "backup: 1/1 message of a")
	for id, want := range map[string]int32{"backup": 1, "1b-job": 1, "2c-job": 0} {
		found, err := f.find(t.Context(), "team", id)
		if err != nil {
			t.Fatal(err)
		}
		if found == nil {
			found = &summary{}
		}
		if found.total != want {
			t.Errorf("errors of %s = %d, want %d", id, found.total, want)
		}
	}
}

func TestTheIDsOfAJobsErrorsAreKnown(t *testing.T) {
	t.Parallel()
	f := follow(t)
	byUID := func(je *joberrorv1.JobError) { je.Spec.JobID = "1b-job" }
	f.set(t, "a", byUID, linkedTo("backup", "1b-job"))
	f.set(t, "b", linkedTo("backup", "1b-job"))
	f.set(t, "c", linkedTo("backup", "2c-job"))
	expect := func(id string, want ...string) {
		t.Helper()
		if got := slices.Sorted(slices.Values(f.jobIDs("team", id))); !slices.Equal(got, want) {
			t.Errorf("_jobIds of the errors of %s = %v, want %v", id, got, want)
		}
	}
	expect("backup", "1b-job")
	expect("1b-job", "backup")
	expect("2c-job", "backup")
	expect("3d-job")
	f.delete(t, "a")
	expect("backup")
	expect("1b-job", "backup")
}

func TestTheLatestLinkIsKnown(t *testing.T) {
	t.Parallel()
	f := follow(t)
	f.set(t, "a", at(1), linkedTo("backup", "1b-job"))
	f.set(t, "b", at(2), linkedTo("backup", "2c-job"))
	f.set(t, "c", at(3))
	expect := func(uid types.UID) {
		t.Helper()
		found, err := f.find(t.Context(), "team", "backup")
		if err != nil || found.linked == nil || joblink.Linked(found.linked).UID != uid {
			t.Errorf("latest link = %+v, %v, want %s", found, err, uid)
		}
	}
	expect("2c-job")
	f.delete(t, "c")
	expect("2c-job")
	f.delete(t, "b")
	expect("1b-job")
}

func BenchmarkListJobs(b *testing.B) {
	s := emptySummaries(nil)
	for i := range 10_000 {
		je := newError(fmt.Sprintf("e%d", i), "late", func(je *joberrorv1.JobError) { je.Spec.JobID = fmt.Sprintf("job-%d", i%10) })
		je.Namespace = "team"
		s.OnAdd(&je, true)
	}
	storage := &jobStorage{summaries: s}
	ctx := request.WithNamespace(context.Background(), "team")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := storage.List(ctx, &internalversion.ListOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCountError measures what an event costs.
func BenchmarkCountError(b *testing.B) {
	s := emptySummaries(nil)
	je := newError("e", "late", linkedTo("backup", "1b-job"))
	b.ReportAllocs()
	for b.Loop() {
		s.OnAdd(&je, true)
		s.OnDelete(&je)
	}
}
