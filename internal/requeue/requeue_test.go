// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package requeue

import (
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
)

var (
	resource  = schema.GroupResource{Group: "joberror.io", Resource: "joberrors"}
	conflict  = apierrors.NewConflict(resource, "e", errors.New("changed"))
	notFound  = apierrors.NewNotFound(resource, "e")
	forbidden = apierrors.NewForbidden(resource, "e", errors.New("no right"))
	timeout   = apierrors.NewTimeoutError("busy", 1)
)

func TestIfStale(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err   error
		stale bool
	}{
		"no error":           {},
		"conflict":           {err: conflict, stale: true},
		"wrapped conflict":   {err: fmt.Errorf("patch JobError: %w", conflict), stale: true},
		"not found":          {err: notFound, stale: true},
		"forbidden":          {err: forbidden},
		"timeout":            {err: timeout},
		"stale object stays": {err: ErrStaleObject, stale: true},
	} {
		if got := IfStale(tc.err); errors.Is(got, ErrStaleObject) != tc.stale || !tc.stale && !errors.Is(got, tc.err) {
			t.Errorf("%s: IfStale = %v", name, got)
		}
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want ctrl.Result
		fail bool
	}{
		"success":      {want: ctrl.Result{RequeueAfter: time.Hour}},
		"stale object": {err: fmt.Errorf("patch: %w", ErrStaleObject)},
		"stale cache":  {err: fmt.Errorf("read: %w", ErrStaleCache), want: ctrl.Result{RequeueAfter: StaleCacheDelay}},
		"failure":      {err: forbidden, fail: true},
	} {
		got, err := After(time.Hour, tc.err)
		if got != tc.want || (err != nil) != tc.fail {
			t.Errorf("%s: After = %v, %v, want %v", name, got, err, tc.want)
		}
	}
}

func TestFirstFailure(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		errs []error
		want error
	}{
		"none":                    {errs: []error{nil, nil}},
		"stale object":            {errs: []error{nil, ErrStaleObject}, want: ErrStaleCache},
		"stale cache":             {errs: []error{ErrStaleCache, nil}, want: ErrStaleCache},
		"failure after stale":     {errs: []error{ErrStaleCache, timeout, forbidden}, want: timeout},
		"failure before stale":    {errs: []error{timeout, ErrStaleCache}, want: timeout},
		"nothing to be looked at": {},
	} {
		if got := FirstFailure(tc.errs); !errors.Is(got, tc.want) {
			t.Errorf("%s: FirstFailure = %v, want %v", name, got, tc.want)
		}
	}
}
