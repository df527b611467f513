// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestPatience(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	restarting := apierrors.NewServiceUnavailable("starting")
	for name, tc := range map[string]struct {
		// reads holds the results of reads, 25 seconds apart. All but the last are borne.
		reads []error
		want  bool
	}{
		"a success":                 {[]error{nil}, true},
		"a lost connection":         {[]error{refused}, true},
		"failures for 50 seconds":   {[]error{refused, restarting, refused}, true},
		"failures for 75 seconds":   {[]error{refused, restarting, refused, refused}, false},
		"a success in between":      {[]error{refused, refused, nil, refused, refused}, true},
		"a request that is refused": {[]error{nil, apierrors.NewUnauthorized("expired")}, false},
		"an object that is gone":    {[]error{apierrors.NewNotFound(schema.GroupResource{}, "x")}, false},
	} {
		clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
		p := patience{clock: clock}
		for i, err := range tc.reads {
			want := tc.want || i < len(tc.reads)-1
			if got := p.bears(err); got != want {
				t.Errorf("%s: read %d: bears = %t, want %t", name, i, got, want)
			}
			clock.SetTime(clock.Now().Add(25 * time.Second))
		}
	}
}
