// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/errorlimit"
)

func TestNewRecord(t *testing.T) {
	t.Parallel()
	linked := open("e", 1)
	linked.Status.Job = &joberrorv1.JobReference{Name: "import", UID: "1"}
	for name, test := range map[string]struct {
		scope          errorlimit.Scope
		member         *joberrorv1.JobError
		jobID, message string
		autoResolve    string
	}{
		"CronJob":            {errorlimit.Scope{Namespace: "team", Kind: errorlimit.CronJob, Name: "nightly"}, open("e", 1), "nightly", "CronJob nightly may have 7 captured errors (--max-errors-per-cronjob); ", ""},
		"linked Job":         {errorlimit.Scope{Namespace: "team", Kind: errorlimit.Job, Name: "1"}, linked, "import", "Job import may have 7 reported errors (--max-errors-per-job); ", "false"},
		"Job without a link": {importJob, open("e", 1), "import", "Job import may have 7 reported errors (--max-errors-per-job); ", "false"},
		"namespace":          {errorlimit.ScopeOf("team"), linked, "namespace.joberror.io", "namespace team may have 7 errors (--max-errors-per-namespace); ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record := newRecord(test.scope, test.member, 7, testTime)
			if record.Spec.JobID != test.jobID || !strings.HasPrefix(record.Spec.Message, test.message) {
				t.Errorf("record = %+v, want _jobId %s and a message with %q", record.Spec, test.jobID, test.message)
			}
			if got := record.Annotations[joberrorv1.AnnotationAutoResolve]; got != test.autoResolve {
				t.Errorf("auto-resolve = %q, want %q", got, test.autoResolve)
			}
			if errorlimit.ScopesOf(record) != nil {
				t.Error("the record counts towards a limit")
			}
		})
	}
}

func TestEachScopeHasItsOwnRecord(t *testing.T) {
	t.Parallel()
	linked := open("e", 1)
	linked.Status.Job = &joberrorv1.JobReference{Name: "import", UID: "1"}
	names := map[string]bool{}
	for _, scope := range []errorlimit.Scope{
		importJob, {Namespace: "team", Kind: errorlimit.CronJob, Name: "import"}, errorlimit.ScopeOf("team"),
	} {
		names[newRecord(scope, open("e", 1), 7, testTime).Name] = true
	}
	names[newRecord(errorlimit.Scope{Namespace: "team", Kind: errorlimit.Job, Name: "1"}, linked, 7, testTime).Name] = true
	if len(names) != 4 {
		t.Errorf("names = %v, want 4 different ones", names)
	}
}
