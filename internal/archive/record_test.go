// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
)

// full returns an entry with a value in every field.
func full() Entry {
	at := func(hour int) *metav1.Time {
		return ptr.To(metav1.NewTime(time.Date(2026, time.November, 20, hour, 0, 0, 0, time.FixedZone("", 3600))))
	}
	return Entry{NamespaceUID: teamUID, Error: &joberrorv1.JobError{
		TypeMeta: metav1.TypeMeta{APIVersion: joberrorv1.GroupVersion.String(), Kind: "JobError"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "load-1", UID: "uid-1", ResourceVersion: "7", Generation: 2, CreationTimestamp: *at(1),
			Labels:          map[string]string{joberrorv1.LabelClass: joberrorv1.ClassData, joberrorv1.LabelCronJobName: "nightly"},
			Annotations:     map[string]string{"team": "data\n\"quoted\""},
			Finalizers:      []string{"example.com/keep"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "load", UID: "job-1", Controller: ptr.To(true)}},
		},
		Spec: joberrorv1.JobErrorSpec{
			UserID: "jane@example.com", JobID: "load", CreatedAt: "2026-11-20T23:59:59.123456789-01:00", Resolved: true, Code: "422", Extract: "$.id", Generate: "customer",
			Extracted: strings.Repeat("ü\u0000", 100), Generated: "<&>", Message: strings.Repeat("🐛 line\n", 1000), Source: "crm",
		},
		Status: joberrorv1.JobErrorStatus{
			RetryID: "2026-11-21T10:00:00.000001Z", Summary: "🐛 line", ExpiresAt: at(2), ResolvedAt: at(3), ResolvedBy: "joe", Resolution: "fix-all",
			Job: &joberrorv1.JobReference{Name: "load", UID: "job-1", Retention: "48h"}, Occurrences: 3, FirstSeen: at(4), LastSeen: at(5),
			RecentOccurrences: []string{"a", "b"}, ObservedGeneration: 2,
			Conditions: []metav1.Condition{{Type: "Resolved", Status: metav1.ConditionTrue, Reason: "ByUser", Message: "done", LastTransitionTime: *at(6), ObservedGeneration: 2}},
		},
	}}
}

// roundTrip encodes an entry and reads it again.
func roundTrip(t *testing.T, e Entry, q Query) Record {
	t.Helper()
	data, err := encode(cluster, []Entry{e}, now)
	if err != nil {
		t.Fatal(err)
	}
	var records []Record
	if err := scan(t.Context(), bytes.NewReader(data), int64(len(data)), q, 0, func(r Record) error { records = append(records, r); return nil }); err != nil || len(records) != 1 {
		t.Fatalf("found %d records: %v", len(records), err)
	}
	return records[0]
}

func TestEachFieldIsArchived(t *testing.T) {
	t.Parallel()
	e := full()
	for _, value := range []reflect.Value{reflect.ValueOf(e.Error.Spec), reflect.ValueOf(e.Error.Status)} {
		for i := range value.NumField() {
			if value.Field(i).IsZero() {
				t.Fatalf("the test has no %s", value.Type().Field(i).Name)
			}
		}
	}
	r := roundTrip(t, e, query("load"))
	row := reflect.ValueOf(r)
	for i := range row.NumField() {
		if row.Field(i).IsZero() && row.Type().Field(i).Name != "OperatorVersion" {
			t.Errorf("the column %s is empty", row.Type().Field(i).Name)
		}
	}
	s := e.Error.Spec
	if r.UserID != s.UserID || r.JobID != s.JobID || r.Code != s.Code || r.Extract != s.Extract || r.Generate != s.Generate || r.Extracted != s.Extracted || r.Generated != s.Generated || r.Message != s.Message || r.Source != s.Source {
		t.Errorf("the columns of the spec are %+v", r)
	}
	if r.RetryID != e.Error.Status.RetryID || r.Name != "load-1" || r.Namespace != "team" || r.NamespaceUID != string(teamUID) || r.UID != "uid-1" || r.JobUID != "job-1" || r.CronJob != "nightly" || r.Class != joberrorv1.ClassData || r.Resolution != "fix-all" {
		t.Errorf("the columns are %+v", r)
	}
	utc := func(hour int) time.Time { return time.Date(2026, time.November, 20, hour-1, 0, 0, 0, time.UTC) }
	if !r.CreatedAt.Equal(time.Date(2026, time.November, 21, 0, 59, 59, 123e6, time.UTC)) || !r.ExpiresAt.Equal(utc(2)) || !r.ResolvedAt.Equal(utc(3)) || !r.FirstSeen.Equal(utc(4)) || !r.LastSeen.Equal(utc(5)) {
		t.Errorf("the times are %v %v %v %v %v", r.CreatedAt, r.ExpiresAt, r.ResolvedAt, r.FirstSeen, r.LastSeen)
	}
	stored := &joberrorv1.JobError{}
	if err := json.Unmarshal([]byte(r.Object), stored); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(e.Error)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the object is %s, want %s", got, want)
	}
}

func TestAnEmptyErrorIsArchived(t *testing.T) {
	t.Parallel()
	e := Entry{NamespaceUID: teamUID, Error: &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "load-1", UID: "uid-1", CreationTimestamp: metav1.NewTime(now)},
		Spec:       joberrorv1.JobErrorSpec{JobID: "load"},
	}}
	r := roundTrip(t, e, query("load"))
	if !r.CreatedAt.Equal(now) || r.JobName != "load" || r.JobUID != "" || r.ResolvedAt != nil || r.ExpiresAt != nil || r.FirstSeen != nil {
		t.Errorf("the record is %+v", r)
	}
}

func TestTheRowsNameTheirNamespace(t *testing.T) {
	t.Parallel()
	data, err := encode(cluster, []Entry{full()}, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Query){
		"another namespace": func(q *Query) { q.Namespace = "other" },
		"another UID":       func(q *Query) { q.NamespaceUID = types.UID("other") },
		"no UID":            func(q *Query) { q.NamespaceUID = "" },
	} {
		q := query("load")
		change(&q)
		if err := scan(t.Context(), bytes.NewReader(data), int64(len(data)), q, 0, func(Record) error { t.Errorf("%s: found a record", name); return nil }); err != nil {
			t.Error(err)
		}
	}
}
