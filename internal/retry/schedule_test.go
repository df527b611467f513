// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
)

func TestScheduledByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"nightly-29373120":    "2025-11-06T00:00:00Z",
		"nightly-by-hand":     "",
		"nightly":             "",
		"weekly-29373120":     "",
		"nightly--29373120":   "",
		"nightly-29373120-r1": "",
	} {
		if got := ScheduledByName("nightly", name)[batchv1.CronJobScheduledTimestampAnnotation]; got != want {
			t.Errorf("%s: scheduled for %q, want %q", name, got, want)
		}
	}
}
