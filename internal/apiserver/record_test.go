// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

func TestRecordOf(t *testing.T) {
	t.Parallel()
	full := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1", UID: "4e-error"},
		Spec: joberrorv1.JobErrorSpec{
			UserID: "alice", JobID: "backup", CreatedAt: "2026-11-05T11:15:00.123+01:00", Resolved: true, Code: "429",
			Extract: "in", Generate: "out", Extracted: "1", Generated: "2", Message: "late", Source: "crm",
		},
		Status: joberrorv1.JobErrorStatus{RetryID: "2026-11-05T10:15:00.000001Z", ResolvedBy: "bob"},
	}
	for _, tc := range []struct {
		name string
		je   *joberrorv1.JobError
		want resolvev1.Record
	}{
		{name: "every field is copied, and createdAt is unchanged", je: full, want: resolvev1.Record{
			ID: "e1", UserID: "alice", JobID: "backup", RetryID: "2026-11-05T10:15:00.000001Z", CreatedAt: "2026-11-05T11:15:00.123+01:00",
			Resolved: true, Code: "429", Extract: "in", Generate: "out", Extracted: "1", Generated: "2", Message: "late", Source: "crm",
		}},
		{name: "an error without a status has no _retryId", je: &joberrorv1.JobError{
			ObjectMeta: metav1.ObjectMeta{Name: "e2"}, Spec: joberrorv1.JobErrorSpec{JobID: "backup"},
		}, want: resolvev1.Record{ID: "e2", JobID: "backup"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := recordOf(tc.je); got != tc.want {
				t.Errorf("recordOf = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestARecordAlwaysHasResolved(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Name: "e2"}, Spec: joberrorv1.JobErrorSpec{JobID: "backup"}}
	got, err := json.Marshal(recordOf(je))
	if want := `{"_id":"e2","_jobId":"backup","resolved":false}`; err != nil || string(got) != want {
		t.Errorf("record = %s, %v, want %s", got, err, want)
	}
}

func TestARecordMatchesItsOwnError(t *testing.T) {
	t.Parallel()
	je := newError("e1", "late")
	record := recordOf(&je)
	record.Resolved = true
	for name, strip := range map[string]func(*resolvev1.Record){
		"unchanged":                      func(*resolvev1.Record) {},
		"without its _id":                func(r *resolvev1.Record) { r.ID = "" },
		"without the underscored fields": func(r *resolvev1.Record) { r.ID, r.UserID, r.JobID, r.RetryID = "", "", "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			returned := record
			strip(&returned)
			names, missing := match(t, []resolvev1.Record{returned}, []joberrorv1.JobError{je}, true)
			if len(names) != 1 || names[0] != "e1" || len(missing) != 0 {
				t.Errorf("match = %v, %v, want e1 and none missing", names, missing)
			}
		})
	}
}
