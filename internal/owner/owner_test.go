// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package owner

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func ownedBy(apiVersion, kind string, controller bool) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "team", Name: "owned", OwnerReferences: []metav1.OwnerReference{{
		APIVersion: apiVersion, Kind: kind, Name: "backup", UID: "1", Controller: ptr.To(controller),
	}}}
}

func TestCronJob(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		meta metav1.ObjectMeta
		want string
	}{
		"no owner":                 {},
		"a CronJob":                {meta: ownedBy("batch/v1", "CronJob", true), want: "backup"},
		"an older API version":     {meta: ownedBy("batch/v1beta1", "CronJob", true), want: "backup"},
		"a CronJob not in control": {meta: ownedBy("batch/v1", "CronJob", false)},
		"another kind":             {meta: ownedBy("batch/v1", "Workflow", true)},
		"another group":            {meta: ownedBy("example.com/v1", "CronJob", true)},
	} {
		if got := CronJob(&batchv1.Job{ObjectMeta: tc.meta}); got != tc.want {
			t.Errorf("%s: CronJob = %q, want %q", name, got, tc.want)
		}
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		meta  metav1.ObjectMeta
		found bool
	}{
		"no owner":             {},
		"a Job":                {meta: ownedBy("batch/v1", "Job", true), found: true},
		"a Job not in control": {meta: ownedBy("batch/v1", "Job", false)},
		"another kind":         {meta: ownedBy("apps/v1", "ReplicaSet", true)},
		"another group":        {meta: ownedBy("example.com/v1", "Job", true)},
	} {
		key, uid := Job(&corev1.Pod{ObjectMeta: tc.meta})
		if found := uid == "1" && key.String() == "team/backup"; found != tc.found || !found && uid != "" {
			t.Errorf("%s: Job = %v, %q", name, key, uid)
		}
	}
}
