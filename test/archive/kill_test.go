// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"testing"
	"time"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

func TestSurvivesKillsWhileErrorsExpire(t *testing.T) {
	ns, dir := cluster.Namespace(t), t.TempDir()
	all := report(t, ns, *errors)
	left := len(all)
	for n := range *kills {
		operator := launch(t, "file://"+dir)
		// The operator is killed while it deletes, and sometimes before it has begun to.
		target := left - random.IntN(left/(*kills-n)+1)
		harness.EventuallyWithin(t, 2*time.Minute, func() string {
			if left = len(cluster.Errors(t, ns)); left > target {
				return fmt.Sprintf("%d errors are left, want %d", left, target)
			}
			return ""
		})
		operator.Kill()
		t.Logf("killed the operator when %d errors were left", left)
		expectNothingLost(t, all, ns, dir)
		if left = len(cluster.Errors(t, ns)); left == 0 {
			break
		}
	}
	operate(t, "file://"+dir)
	expectMoved(t, all, ns, dir)
}

// launch starts an operator and does not wait until it serves.
func launch(t *testing.T, url string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Launch("operator", cluster.Ports, archiveFlags(url)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Kill() })
	return process
}
