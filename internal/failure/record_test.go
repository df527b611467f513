// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

func job(name string, uid types.UID) *batchv1.Job {
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: uid}}
}

func TestErrorName(t *testing.T) {
	t.Parallel()
	const key = "exit/main/ExitCode:1"
	name := ErrorName("job", "1", key)
	for what, other := range map[string]string{
		"another failure":                  ErrorName("job", "1", "exit/main/ExitCode:2"),
		"a later Job with this name":       ErrorName("job", "2", key),
		"a longer name of a Job":           ErrorName(strings.Repeat("j", 63), "3", key),
		"a name of a Job cut after a dash": ErrorName(strings.Repeat("j", 51)+"-"+strings.Repeat("k", 10), "4", key),
	} {
		if other == name {
			t.Errorf("%s has the same name, %s", what, name)
		}
		if problems := validation.IsDNS1123Subdomain(other); len(problems) > 0 || len(other) > 63 {
			t.Errorf("%s: %q is not a valid name: %v", what, other, problems)
		}
	}
}

func TestJobErrorFitsTheSchema(t *testing.T) {
	t.Parallel()
	long := "\xff" + strings.Repeat("ä", 40000)
	seen := Failure{Code: long, Source: long, Message: long, At: start.Time}
	reported := seen
	reported.Report = &resolvev1.Record{Code: long, Extract: long, Generate: long, Extracted: long, Generated: long, Message: long}
	for name, f := range map[string]Failure{"seen": seen, "reported": reported} {
		spec := f.JobError(job("job", "1"), long).Spec
		for field, value := range map[string]struct {
			text  string
			limit int
		}{
			"code": {spec.Code, 256}, "source": {spec.Source, 512}, "message": {spec.Message, 32768}, "_userId": {spec.UserID, 512},
			"extract": {spec.Extract, 1024}, "generate": {spec.Generate, 1024}, "extracted": {spec.Extracted, 16384}, "generated": {spec.Generated, 16384},
		} {
			if name == "seen" && value.text == "" {
				continue
			}
			if !utf8.ValidString(value.text) || utf8.RuneCountInString(value.text) != value.limit || !strings.HasSuffix(value.text, "…") {
				t.Errorf("%s: %s has %d characters, want %d with a mark at the end", name, field, utf8.RuneCountInString(value.text), value.limit)
			}
		}
		if spec.CreatedAt != "2026-11-05T10:15:00Z" || spec.JobID != "job" {
			t.Errorf("%s: spec = %+v", name, spec)
		}
	}
}

func TestCapturedErrorNamesItsWork(t *testing.T) {
	t.Parallel()
	run := job("nightly-1", "1")
	run.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", UID: "c", Controller: ptr.To(true)}}
	seen := Failure{Key: "k", Occurrence: "o", Code: "OOMKilled", At: start.Time}
	je := seen.JobError(run, "alice")
	if je.Labels[joberrorv1.LabelCaptured] != joberrorv1.Captured || je.Labels[joberrorv1.LabelCronJobName] != "nightly" || je.Namespace != "team" || je.Spec.UserID != "alice" {
		t.Errorf("JobError = %+v", je)
	}
	if class := je.Labels[joberrorv1.LabelClass]; class != joberrorv1.ClassResources {
		t.Errorf("class = %q", class)
	}
	if alone := seen.JobError(job("job", "1"), "alice"); alone.Labels[joberrorv1.LabelCronJobName] != "" {
		t.Errorf("an error without a CronJob has the labels %v", alone.Labels)
	}
}

// Only the reporter knows when a record-level error has been dealt with.
func TestReportedErrorIsNotCaptured(t *testing.T) {
	t.Parallel()
	reported := Failure{Key: "k", At: start.Time, Source: "pod/main", Report: &resolvev1.Record{
		ID: "row-1", JobID: "other", Message: "m", Source: "warehouse", UserID: "bob", CreatedAt: "2026-11-05T09:00:00.5+01:00"}}
	je := reported.JobError(job("job", "1"), "alice")
	if len(je.Labels) != 1 || je.Labels[joberrorv1.LabelClass] != joberrorv1.ClassData || len(je.Annotations) != 1 || je.Annotations[joberrorv1.AnnotationOccurrence] == "" {
		t.Errorf("labels = %v, annotations = %v, want only the class and the occurrence", je.Labels, je.Annotations)
	}
	want := joberrorv1.JobErrorSpec{JobID: "job", UserID: "bob", CreatedAt: "2026-11-05T08:00:00.5Z", Message: "m", Source: "warehouse"}
	if je.Spec != want {
		t.Errorf("spec = %+v, want %+v", je.Spec, want)
	}
	reported.Report = &resolvev1.Record{Message: "m", CreatedAt: start.Add(time.Hour).Format(time.RFC3339)}
	want = joberrorv1.JobErrorSpec{JobID: "job", UserID: "alice", CreatedAt: "2026-11-05T10:15:00Z", Message: "m", Source: "pod/main"}
	if je := reported.JobError(job("job", "1"), "alice"); je.Spec != want {
		t.Errorf("with a createdAt in the future, spec = %+v, want %+v", je.Spec, want)
	}
}

func TestLastLines(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"a short text is unchanged":              {"one\ntwo", "one\ntwo"},
		"a long text keeps its last whole lines": {"first line\nsecond\nthird", "…\nsecond\nthird"},
		"a long line keeps its end":              {strings.Repeat("x", 30), "…\n" + strings.Repeat("x", 16)},
		"characters stay whole":                  {strings.Repeat("€", 10), "…\n" + strings.Repeat("€", 5)},
	} {
		if got := LastLines(tc.text, 20); got != tc.want {
			t.Errorf("%s: LastLines = %q, want %q", name, got, tc.want)
		}
	}
}
