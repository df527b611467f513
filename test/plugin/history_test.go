// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestHistoryWithoutAnArchive(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "live", "load"))
	viewer, nobody := "viewer-of-"+ns, "nobody-of-"+ns
	cluster.Grant(t, ns, viewer, "view")
	for _, tc := range []struct{ user, job, want string }{
		{viewer, "load", "read the history of job/load: this cluster has no archive: the operator runs without --archive-url"},
		{viewer, "job/never-existed", "read the history of job/never-existed: this cluster has no archive"},
		{nobody, "load", `User "` + nobody + `" cannot get resource "jobs/joberrors"`},
	} {
		out, stderr := plugin(t, "history", tc.job, "-n", ns).as(t, tc.user).want(t, 1)
		contains(t, stderr, tc.want)
		if out != "" {
			t.Errorf("stdout = %q, want nothing", out)
		}
	}
	out, _ := plugin(t, "__complete", "history", "-n", ns, "").want(t, 0)
	if !strings.HasPrefix(out, "load\n") {
		t.Errorf("the completion of history = %q, want the Job load", out)
	}
}
