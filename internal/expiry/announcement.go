// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"joberror.io/operator/internal/retention"
)

// Unexpected is the reason for announcing unexpected expiries that are not held back.
const Unexpected Reason = "UnexpectedExpiry"

// announcement says what happens to the objects that have expired. It is empty if nothing
// unexpected happens.
type announcement struct {
	reason    Reason
	eventType string
	// held is how many objects are held back.
	held    int
	outcome string
}

// announcement returns what to announce about a tally.
func (s *situation) announcement() announcement {
	unexpected := s.tally.unexpectedly()
	switch {
	case s.clocksDiffer() && s.tally.expired > 0:
		return announcement{ClockSkew, corev1.EventTypeWarning, s.tally.expired, fmt.Sprintf(
			"nothing is deleted until the operator's clock, which is ahead of the API server's by %s, agrees with it within %s", s.ahead.Round(time.Second), retention.ClockSkew)}
	case unexpected == 0:
		return announcement{}
	case s.isAllowed():
		return announcement{Unexpected, corev1.EventTypeNormal, 0, "all are deleted, because of --allow-mass-expiry"}
	case s.isMass():
		return announcement{MassExpiry, corev1.EventTypeWarning, unexpected, "the unexpected ones are deleted only with --allow-mass-expiry"}
	default:
		return announcement{Unexpected, corev1.EventTypeNormal, 0, fmt.Sprintf("the unexpected ones are deleted at a pace of %d per second", pace)}
	}
}
