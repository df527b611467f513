//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"path/filepath"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	"joberror.io/operator/test/harness"
)

// Each sample runs in its own pod, with its own token and address.
func TestReportingSamplesReport(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Kubectl(t, "apply", "-n", ns, "-k", filepath.Join(cluster.Root, "config", "samples", "reporting"))
	want := []string{
		"report-with-curl/duplicate_key", "report-with-curl/invalid_date",
		"report-with-python/invalid_amount",
	}
	for _, job := range []string{"report-with-curl", "report-with-python"} {
		cluster.WaitJobCondition(t, ns, job, batchv1.JobComplete)
	}
	var reported []string
	for _, je := range cluster.Errors(t, ns) {
		if je.Spec.UserID != "system:serviceaccount:"+ns+":pipeline" {
			t.Errorf("userID of %s = %q, want ServiceAccount pipeline", je.Name, je.Spec.UserID)
		}
		jobAndCode := harness.JobAndCode(&je)
		if !slices.Contains(want, jobAndCode) {
			t.Errorf("%s: %s", jobAndCode, je.Spec.Message)
		}
		reported = append(reported, jobAndCode)
	}
	slices.Sort(reported)
	if reported = slices.Compact(reported); !slices.Equal(reported, want) {
		t.Errorf("reported errors = %v, want %v", reported, want)
	}
}
