// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/resolution"
)

func TestAnAnswerHasAllNames(t *testing.T) {
	t.Parallel()
	gone := apierrors.NewNotFound(joberrorv1.GroupVersion.WithResource("joberrorresolutions").GroupResource(), "r")
	busy := apierrors.NewTimeoutError("busy", 1)
	stored := func(uid types.UID, names ...string) *joberrorv1.JobErrorResolution {
		jer := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "r", UID: uid}}
		tally := resolution.NewTally(jer, time.Now())
		for _, name := range names {
			tally.Add(resolution.Outcome{Name: name, Result: resolution.Updated})
		}
		jer.Status = tally.Completed(time.Now())
		return jer
	}
	for name, tc := range map[string]struct {
		stored *joberrorv1.JobErrorResolution
		answer error
		fails  bool
		names  int
		reads  int
	}{
		"one error is in the cache":        {stored: stored("1", "a"), names: 1},
		"several errors are read":          {stored: stored("1", "a", "b", "c"), names: 3, reads: 1},
		"a deleted resolution is as known": {stored: stored("1", "a", "b"), answer: gone, names: 1, reads: 1},
		"a later namesake is another":      {stored: stored("2", "a", "b"), names: 1, reads: 1},
		"a failed read fails the request":  {stored: stored("1", "a", "b"), answer: busy, fails: true, reads: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reads := 0
			c := jobreftest.Cache(t, interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
				reads++
				if tc.answer != nil {
					return tc.answer
				}
				return c.Get(ctx, key, obj, opts...)
			}}, tc.stored)
			cached := tc.stored.DeepCopy()
			cached.UID, cached.Status.Errors = "1", cached.Status.Errors[:1]
			got, err := (&backend{apiReader: c}).whole(t.Context(), cached)
			if (err != nil) != tc.fails || reads != tc.reads {
				t.Fatalf("err = %v after %d reads, want %d", err, reads, tc.reads)
			}
			if err == nil && len(got.Status.Errors) != tc.names {
				t.Errorf("errors = %v, want %d", got.Status.Errors, tc.names)
			}
		})
	}
}
