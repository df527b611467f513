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

func TestCountsAndReopensARecordReportedAgain(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus), withRetries))
	report := func() string {
		pod := runningPod(t, ns, "job")
		rows := strings.Repeat(`{"code":"row","message":"row 1"}`+"\n", 3) + `{"code":"closed","message":"row 2","resolved":true}`
		failPodAs(t, pod, fmt.Sprintf(`{"exitCode":1,"reason":"Error","finishedAt":%q,"message":%q}`, time.Now().UTC().Format(time.RFC3339), rows))
		return pod.Name
	}
	awaitCount := func(name string, want int32) *joberrorv1.JobError {
		return cluster.WaitFor(t, ns, name, func(je *joberrorv1.JobError) bool { return je.Status.Occurrences == want })
	}
	report()
	codes := []string{"ExitCode:1", "closed", "row"}
	names := map[string]string{}
	for _, je := range awaitErrors(t, ns, codes...) {
		names[je.Spec.Code] = je.Name
	}
	awaitCount(names["closed"], 1)
	je := awaitCount(names["row"], 3)
	if je.Status.FirstSeen == nil || !je.Status.FirstSeen.Equal(je.Status.LastSeen) || len(je.Status.RecentOccurrences) != 3 {
		t.Errorf("status = %+v, want 3 occurrences at one time", je.Status)
	}
	if err := cluster.Client.Patch(t.Context(), je, harness.MergePatch(`{"spec":{"resolved":true}}`), client.FieldOwner("test")); err != nil {
		t.Fatal(err)
	}
	awaitReason(t, ns, "row", joberrorv1.ReasonSetByUser)

	podName := report()
	reopened := awaitReason(t, ns, "row", joberrorv1.ReasonReopened)
	if reopened.Spec.Resolved || reopened.Status.Occurrences != 6 || !reopened.Status.FirstSeen.Before(reopened.Status.LastSeen) ||
		resolvedMessage(reopened) != "reopened: the same record was reported again in "+podName+"/main" {
		t.Errorf("got %+v, %q; want it reopened with 6 occurrences", reopened, resolvedMessage(reopened))
	}
	if je := awaitCount(names["closed"], 2); !je.Spec.Resolved {
		t.Errorf("a record that was reported as resolved is open: %+v", je)
	}
	awaitErrors(t, ns, codes...)
}
