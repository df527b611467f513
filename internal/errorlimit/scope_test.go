// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package errorlimit

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// reported returns an error that a Job reported.
func reported(job string, options ...func(*joberrorv1.JobError)) *joberrorv1.JobError {
	je := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team"}, Spec: joberrorv1.JobErrorSpec{JobID: job}}
	for _, option := range options {
		option(je)
	}
	return je
}

func labeled(key, value string) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { metav1.SetMetaDataLabel(&je.ObjectMeta, key, value) }
}

func linked(uid types.UID) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.Status.Job = &joberrorv1.JobReference{Name: "import", UID: uid} }
}

func deleted(je *joberrorv1.JobError) { je.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }

// captured returns an error of a run of a CronJob.
func captured(cronJob string) *joberrorv1.JobError {
	return reported("run", labeled(joberrorv1.LabelCaptured, joberrorv1.Captured), labeled(joberrorv1.LabelCronJobName, cronJob))
}

func TestScopesOf(t *testing.T) {
	t.Parallel()
	team := Scope{"team", Namespace, ""}
	for name, test := range map[string]struct {
		je   *joberrorv1.JobError
		want []Scope
	}{
		"captured, of a CronJob":                        {captured("nightly"), []Scope{{"team", CronJob, "nightly"}, team}},
		"overflow of one run":                           {reported("run", labeled(joberrorv1.LabelCaptured, joberrorv1.CapturedOverflow), labeled(joberrorv1.LabelCronJobName, "nightly")), []Scope{{"team", CronJob, "nightly"}, team}},
		"captured, of another Job":                      {reported("import", labeled(joberrorv1.LabelCaptured, joberrorv1.Captured), linked("1")), []Scope{team}},
		"reported, linked":                              {reported("import", linked("1")), []Scope{{"team", Job, "1"}, team}},
		"reported, linked by UID":                       {reported("1", linked("1")), []Scope{{"team", Job, "1"}, team}},
		"reported, not linked yet":                      {reported("import"), []Scope{{"team", Job, "import"}, team}},
		"reported by a CronJob run":                     {reported("run", labeled(joberrorv1.LabelCronJobName, "nightly")), []Scope{{"team", Job, "run"}, team}},
		"record of what was deleted because of a limit": {reported("import", labeled(joberrorv1.LabelCaptured, joberrorv1.CapturedTrimmed)), nil},
		"being deleted":                                 {reported("import", deleted), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ScopesOf(test.je); !slices.Equal(got, test.want) {
				t.Errorf("ScopesOf = %v, want %v", got, test.want)
			}
		})
	}
}
