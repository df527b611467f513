// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	testingclock "k8s.io/utils/clock/testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

func TestValidateCreateRefusesAnInvalidCreatedAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)
	v := &jobErrorValidator{
		cache: emptyCache{}, clock: testingclock.NewFakePassiveClock(now), policy: retention.Policy{Default: time.Hour},
	}
	for createdAt, valid := range map[string]bool{
		"":                     true,
		"2026-11-05T10:00:00Z": true,
		"2026-11-05T11:00:00Z": false,
		"2026-11-05T09:00:00Z": false,
		"yesterday":            false,
	} {
		je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: "backup", CreatedAt: createdAt}}
		_, err := v.ValidateCreate(t.Context(), je)
		if valid && err != nil || !valid && !apierrors.IsInvalid(err) {
			t.Errorf("ValidateCreate with %q = %v, want valid %t", createdAt, err, valid)
		}
	}
}
