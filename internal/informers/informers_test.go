// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package informers

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
)

func TestDeleted(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{}
	for name, tc := range map[string]struct {
		obj  any
		want bool
	}{
		"an object that the watch saw go": {job, true},
		"an object that the watch missed": {toolscache.DeletedFinalStateUnknown{Key: "team/job", Obj: job}, true},
		"an unknown last state":           {toolscache.DeletedFinalStateUnknown{Key: "team/job"}, false},
		"an object of another type":       {&corev1.Pod{}, false},
	} {
		if got, ok := Deleted[*batchv1.Job](tc.obj); ok != tc.want || ok && got != job {
			t.Errorf("%s: Deleted = %v, %t, want %t", name, got, ok, tc.want)
		}
	}
}
