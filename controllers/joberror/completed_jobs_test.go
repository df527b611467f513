// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestLastRun(t *testing.T) {
	t.Parallel()
	run := func(name string, created time.Time) *batchv1.Job {
		j := completedAt(now)
		j.Name, j.CreationTimestamp = name, metav1.NewTime(created)
		j.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", Controller: ptr.To(true)}}
		return j
	}
	c := newCompletedJobs()
	c.add(run("second", now))
	c.add(run("first", earlier))
	if last := c.lastRun(run("", now).Namespace, "nightly"); last.job != "second" || c.lastRun("another", "nightly") != (completion{}) {
		t.Errorf("lastRun = %+v", last)
	}
}
