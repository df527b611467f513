// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestAnErrorIsDeletedWhenItsTimeIsOverAndNotBefore(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	for name, c := range map[string]struct {
		job       string
		retention time.Duration
	}{
		"after-30-days":          {"none", 30 * 24 * time.Hour},
		"after-its-jobs-own":     {"short", 2 * time.Hour},
		"resolved-all-the-same":  {"none", 30 * 24 * time.Hour},
		"after-30-days-invalid":  {"invalid", 30 * 24 * time.Hour},
		"after-a-longer-of-jobs": {"long", 40 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotation := map[string]string{"short": "2h", "invalid": "soon", "long": "40d"}[c.job]
			if annotation != "" {
				harness.Create(t, cluster.Client, harness.Job(ns, c.job, harness.Annotated(joberrorv1.AnnotationRetention, annotation)))
				// The webhook must know the Job to accept the error.
				harness.Create(t, cluster.Client, harness.JobError(ns, name+"-probe", c.job))
				cluster.WaitFor(t, ns, name+"-probe", linked(joberrorv1.ReasonJobFound))
			}
			over := time.Now().Add(6 * time.Second)
			harness.Create(t, cluster.Client, harness.JobError(ns, name, c.job, harness.CreatedAt(over.Add(-c.retention)),
				spec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = strings.HasPrefix(name, "resolved") })))
			je := cluster.WaitObserved(t, ns, name)
			if at := je.Status.ExpiresAt.Time; at.Before(over.Truncate(time.Second)) || at.After(over.Add(time.Second)) {
				t.Errorf("expiresAt is %s, want %s", at, over)
			}
			for {
				err := cluster.Client.Get(t.Context(), harness.Key(ns, name), je)
				now := time.Now()
				if apierrors.IsNotFound(err) {
					if now.Before(over) {
						t.Errorf("deleted %s early", over.Sub(now))
					}
					return
				}
				if now.After(over.Add(30 * time.Second)) {
					t.Fatalf("still there 30s after its time: %v", err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

func TestTheRetentionOfAJobIsRememberedAfterIt(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Annotated(joberrorv1.AnnotationRetention, "7d")))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	before := cluster.WaitFor(t, ns, "e", linked(joberrorv1.ReasonJobFound))
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	after := cluster.WaitFor(t, ns, "e", linked(joberrorv1.ReasonJobDeleted))
	if !after.Status.ExpiresAt.Equal(before.Status.ExpiresAt) || time.Until(after.Status.ExpiresAt.Time) > 7*24*time.Hour+time.Second {
		t.Errorf("expiresAt went from %s to %s", before.Status.ExpiresAt, after.Status.ExpiresAt)
	}
}

func TestAJobsRetentionCanChange(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	cluster.WaitFor(t, ns, "e", linked(joberrorv1.ReasonJobFound))
	for _, c := range []struct {
		annotation string
		want       time.Duration
	}{{`"60d"`, 60 * 24 * time.Hour}, {`null`, 30 * 24 * time.Hour}} {
		if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(`{"metadata":{"annotations":{"joberror.io/retention":`+c.annotation+`}}}`)); err != nil {
			t.Fatal(err)
		}
		cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool {
			left := time.Until(je.Status.ExpiresAt.Time)
			return left < c.want+time.Minute && left > c.want-time.Hour
		})
	}
}

func TestAnEntryExpiresLikeAnError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job(t, ns, "a")
	young := harness.Create(t, cluster.Client, harness.Resolution(ns, "young", "job"))
	old := harness.Create(t, cluster.Client, harness.Resolution(ns, "old", "job"))
	cluster.WaitCompleted(t, ns, "young")
	cluster.WaitCompleted(t, ns, "old")
	cluster.Backdate(t, "joberrorresolutions", young, 29*24*time.Hour)
	cluster.Backdate(t, "joberrorresolutions", old, 31*24*time.Hour)
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(old), old); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the old entry is still there: %v", err)
		}
		return ""
	})
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(young), young); err != nil {
		t.Errorf("the young entry: %v", err)
	}
}
