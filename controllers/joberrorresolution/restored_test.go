// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/internal/restore"
)

func TestRestoredResolutionIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	complete := resolution.NewTally(&joberrorv1.JobErrorResolution{}, now.Add(-time.Hour)).Completed(now.Add(-time.Hour))
	interrupted := resolution.NewTally(&joberrorv1.JobErrorResolution{}, now.Add(-time.Hour)).Progress(now.Add(-time.Hour))
	for _, tc := range []struct {
		name          string
		kept, written joberrorv1.JobErrorResolutionStatus
		velero        bool
		reason        string
		wait          time.Duration
	}{
		{name: "complete", kept: complete, reason: joberrorv1.ReasonAllDone, wait: month},
		{name: "interrupted", kept: interrupted, reason: joberrorv1.ReasonRestored, wait: month},
		{name: "without a status", reason: joberrorv1.ReasonRestored, wait: month},
		{name: "Velero has written the status", velero: true, written: complete, reason: joberrorv1.ReasonAllDone, wait: month},
		{name: "Velero may write the status", velero: true, wait: 10 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := &joberrorstest.Server{}
			r, jer := newReconciler(t, interceptor.Funcs{}, server, jobError(1))
			jer.Status = tc.kept
			if err := restore.KeepResolution(jer); err != nil {
				t.Fatal(err)
			}
			if jer.Status = tc.written; tc.velero {
				jer.Labels = map[string]string{"velero.io/restore-name": "r"}
			}
			got, err := r.Reconcile(t.Context(), jer)
			if err != nil || got != (ctrl.Result{RequeueAfter: tc.wait}) || len(server.Requests()) > 0 {
				t.Errorf("Reconcile = %v, %v with the writes %v, want the next after %s", got, err, server.Requests(), tc.wait)
			}
			c := meta.FindStatusCondition(jer.Status.Conditions, joberrorv1.ConditionComplete)
			if tc.reason == "" {
				if c != nil {
					t.Errorf("condition = %+v, want none", c)
				}
				return
			}
			if c == nil || c.Status != metav1.ConditionTrue || c.Reason != tc.reason || len(jer.Status.Conditions) != 1 {
				t.Errorf("conditions = %+v, want only Complete with %s", jer.Status.Conditions, tc.reason)
			}
		})
	}
}

func TestFailedPatchOfARestoredStatus(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer error
		err    bool
	}{"conflict": {answer: conflict}, "timeout": {answer: timeout, err: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, jer := newReconciler(t, interceptor.Funcs{
				SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
					return tc.answer
				},
			}, &joberrorstest.Server{})
			if err := restore.KeepResolution(jer); err != nil {
				t.Fatal(err)
			}
			_, err := r.Reconcile(t.Context(), jer)
			if (err != nil) != tc.err || tc.err && !strings.HasPrefix(err.Error(), "patch the status of JobErrorResolution: ") {
				t.Errorf("err = %v", err)
			}
		})
	}
}
