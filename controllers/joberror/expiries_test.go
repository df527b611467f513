// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"errors"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/retention"
)

const day = 24 * time.Hour

var team = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}}

// remembering gives an error a Job, with the retention that the error remembers.
func remembering(own string) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Status.Job = &joberrorv1.JobReference{Name: "backup", UID: "1b-job", Retention: own}
	}
}

// expiriesIn returns the Expiries of the JobErrors that a client has.
func expiriesIn(c client.Reader, policy retention.Policy) func(context.Context, func(expiry.Expiry)) error {
	errs := jobreftest.Lister[*joberrorv1.JobError](c, &joberrorv1.JobErrorList{})
	return Expiries(errs, jobreftest.Lister[*batchv1.Job](c, &batchv1.JobList{}), policy)
}

func TestExpiriesUseTheRetentionOfTheJob(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		je   *joberrorv1.JobError
		job  client.Object
		want time.Duration
	}{
		{name: "without a Job, the default", je: jobError(1), want: 30 * day},
		{name: "the retention of the Job", je: jobError(1, remembering("")), job: job("7d"), want: 7 * day},
		{name: "a Job that no longer requests one", je: jobError(1, remembering("7d")), job: job(""), want: 30 * day},
		{name: "the remembered retention of a Job that is gone", je: jobError(1, remembering("7d")), want: 7 * day},
		{name: "not less than the minimum", je: jobError(1, remembering("1h")), want: day},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.je.Spec.CreatedAt = now.Format(time.RFC3339)
			tc.je.Status.ExpiresAt = &metav1.Time{Time: expiresAt}
			objects := []client.Object{team.DeepCopy(), tc.je}
			if tc.job != nil {
				objects = append(objects, tc.job)
			}
			var got []expiry.Expiry
			cached := jobreftest.Cache(t, interceptor.Funcs{}, objects...)
			err := expiriesIn(cached, retention.Policy{Default: 30 * day, Min: day})(t.Context(), func(e expiry.Expiry) { got = append(got, e) })
			if err != nil || len(got) != 1 || !got[0].At.Equal(now.Add(tc.want)) || !got[0].Recorded.Time.Equal(expiresAt) {
				t.Errorf("expiries = %+v, %v; want one at %s, recorded for %s", got, err, now.Add(tc.want), expiresAt)
			}
		})
	}
}

func TestExpiriesFailIfTheCacheDoes(t *testing.T) {
	t.Parallel()
	lists := interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return timeout }}
	err := expiriesIn(jobreftest.Cache(t, lists), retention.Policy{})(t.Context(), func(expiry.Expiry) {})
	if !errors.Is(err, timeout) {
		t.Errorf("err = %v, want %v", err, timeout)
	}
}

// An error that is held back stays as usable as any other, and keeps its recorded expiry.
func TestAnErrorThatIsHeldBackFollowsItsSpec(t *testing.T) {
	t.Parallel()
	server := &joberrorstest.Server{}
	r := newReconciler(t, interceptor.Funcs{}, server)
	r.Expiry = expiry.NewDeleter("JobError", nil, newGuard(t, r.Cached.(client.Client), time.Hour))
	je := created(31 * day)
	got, err := r.Reconcile(t.Context(), je)
	if err != nil || got.RequeueAfter < time.Minute {
		t.Errorf("Reconcile = %v, %v, want it to come back in minutes", got, err)
	}
	if len(server.Requests()) != 1 || je.Status.ObservedGeneration != 1 || je.Status.ExpiresAt != nil {
		t.Errorf("status = %+v after %v, want a status without an expiry", je.Status, server.Requests())
	}
}
