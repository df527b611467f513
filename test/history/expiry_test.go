// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"testing"
	"time"

	"joberror.io/operator/test/harness"
)

// lifetime is the retention of errors.
const lifetime = 30 * 24 * time.Hour

func TestAnErrorThatExpiresIsFoundAgain(t *testing.T) {
	ns := cluster.Namespace(t)
	user := viewer(t, ns)
	je := harness.Create(t, cluster.Client, harness.JobError(ns, "row-1", "load", harness.CreatedAt(time.Now().Add(15*time.Second-lifetime))))
	harness.Eventually(t, func() string {
		if left := len(cluster.Errors(t, ns)); left > 0 {
			return fmt.Sprintf("%d errors are left", left)
		}
		return ""
	})
	all := records(t, get(t, user, ns, "load", "since=52w"))
	if len(all) != 1 || all[0].ID != "row-1" || all[0].CreatedAt != je.Spec.CreatedAt || all[0].Archived.UID != je.UID {
		t.Fatalf("records = %+v, want the error %s", all, je.UID)
	}
	if out := output(t, "history", "load", "-n", ns, "-o", "name"); out != "joberror.joberror.io/row-1\n" {
		t.Errorf("history = %q, want the error", out)
	}
}
