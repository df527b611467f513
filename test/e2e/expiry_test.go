// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestDeletesAnErrorOnlyAfterItExpires(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	for name, c := range map[string]struct {
		job       string
		retention time.Duration
	}{
		"default":  {"none", 30 * 24 * time.Hour},
		"shorter":  {"short", 48 * time.Hour},
		"minimum":  {"tiny", 24 * time.Hour},
		"resolved": {"none", 30 * 24 * time.Hour},
		"invalid":  {"invalid", 30 * 24 * time.Hour},
		"longer":   {"long", 40 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotation := map[string]string{"short": "2d", "tiny": "1s", "invalid": "soon", "long": "40d"}[c.job]
			if annotation != "" {
				harness.Create(t, cluster.Client, harness.Job(ns, c.job, harness.Annotated(joberrorv1.AnnotationRetention, annotation)))
				// The webhook accepts the error only once its cache has the Job.
				harness.Create(t, cluster.Client, harness.JobError(ns, name+"-probe", c.job))
				cluster.WaitFor(t, ns, name+"-probe", withLinkReason(joberrorv1.ReasonJobFound))
			}
			expiry := time.Now().Add(25 * time.Second)
			harness.Create(t, cluster.Client, harness.JobError(ns, name, c.job, harness.CreatedAt(expiry.Add(-c.retention)),
				withSpec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = strings.HasPrefix(name, "resolved") })))
			je := cluster.WaitObserved(t, ns, name)
			if at := je.Status.ExpiresAt.Time; at.Before(expiry.Truncate(time.Second)) || at.After(expiry.Add(time.Second)) {
				t.Errorf("expiresAt = %s, want %s", at, expiry)
			}
			// The last seconds are enough to see that it is deleted too early.
			time.Sleep(time.Until(expiry.Add(-3 * time.Second)))
			for {
				err := cluster.Client.Get(t.Context(), harness.Key(ns, name), je)
				now := time.Now()
				if apierrors.IsNotFound(err) {
					if now.Before(expiry) {
						t.Errorf("the error was deleted at least %s too early", expiry.Sub(now))
					}
					return
				}
				if now.After(expiry.Add(30 * time.Second)) {
					t.Fatalf("the error still exists 30s after it expired: %v", err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

func TestKeepsTheRetentionOfADeletedJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Annotated(joberrorv1.AnnotationRetention, "7d")))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	before := cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobFound))
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	after := cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobDeleted))
	if !after.Status.ExpiresAt.Equal(before.Status.ExpiresAt) || time.Until(after.Status.ExpiresAt.Time) > 7*24*time.Hour+time.Second {
		t.Errorf("expiresAt = %s, want at most 7 days from now and %s as before the Job was deleted", after.Status.ExpiresAt, before.Status.ExpiresAt)
	}
}

func TestAppliesAChangedRetention(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobFound))
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

func TestDeletesAnExpiredResolution(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	createJob(t, ns, "a")
	young := harness.Create(t, cluster.Client, harness.Resolution(ns, "young", "job"))
	old := harness.Create(t, cluster.Client, harness.Resolution(ns, "old", "job"))
	cluster.WaitCompleted(t, ns, "young")
	cluster.WaitCompleted(t, ns, "old")
	cluster.Backdate(t, "joberrorresolutions", young, 29*24*time.Hour)
	cluster.Backdate(t, "joberrorresolutions", old, 31*24*time.Hour)
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(old), old); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the expired resolution still exists: %v", err)
		}
		return ""
	})
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(young), young); err != nil {
		t.Errorf("get the resolution that has not expired: %v", err)
	}
}

func TestDeletesAnExpiredRetry(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	jet := &joberrorv1.JobErrorRetry{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "old"}, Spec: joberrorv1.JobErrorRetrySpec{JobID: "nobody"}}
	harness.Create(t, cluster.Client, jet)
	harness.Eventually(t, func() string {
		return missing(harness.Reason(harness.Get(t, cluster.Client, ns, "old", jet).Status.Conditions, joberrorv1.ConditionComplete), nil, "NotFound")
	})
	cluster.Backdate(t, "joberrorretries", jet, 31*24*time.Hour)
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(jet), jet); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the expired retry still exists: %v", err)
		}
		return ""
	})
}
