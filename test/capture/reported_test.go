// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestARecordThatThePodsReportAgainCountsAndReopens(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running), retried))
	reports := func() string {
		pod := runs(t, ns, "job")
		rows := strings.Repeat(`{"code":"row","message":"row 1"}`+"\n", 3) + `{"code":"closed","message":"row 2","resolved":true}`
		endsAs(t, pod, fmt.Sprintf(`{"exitCode":1,"reason":"Error","finishedAt":%q,"message":%q}`, time.Now().UTC().Format(time.RFC3339), rows))
		return pod.Name
	}
	counts := func(name string, want int32) *joberrorv1.JobError {
		return cluster.When(t, ns, name, func(je *joberrorv1.JobError) bool { return je.Status.Occurrences == want })
	}
	reports()
	codes := []string{"ExitCode:1", "closed", "row"}
	named := map[string]string{}
	for _, je := range captured(t, ns, codes...) {
		named[je.Spec.Code] = je.Name
	}
	counts(named["closed"], 1)
	je := counts(named["row"], 3)
	if je.Status.FirstSeen == nil || !je.Status.FirstSeen.Equal(je.Status.LastSeen) || len(je.Status.RecentOccurrences) != 3 {
		t.Errorf("it is %+v", je.Status)
	}
	if err := cluster.Client.Patch(t.Context(), je, harness.MergePatch(`{"spec":{"resolved":true}}`), client.FieldOwner("test")); err != nil {
		t.Fatal(err)
	}
	resolvedFor(t, ns, "row", joberrorv1.ReasonSetByUser)

	pod := reports()
	again := resolvedFor(t, ns, "row", joberrorv1.ReasonReopened)
	if again.Spec.Resolved || again.Status.Occurrences != 6 || !again.Status.FirstSeen.Before(again.Status.LastSeen) ||
		message(again) != "reopened: the same record was reported again in "+pod+"/main" {
		t.Errorf("it is %+v, %s", again, message(again))
	}
	if je := counts(named["closed"], 2); !je.Spec.Resolved {
		t.Errorf("a record that is reported as resolved is open: %+v", je)
	}
	captured(t, ns, codes...)
}
