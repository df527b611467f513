// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"time"

	"golang.org/x/time/rate"

	"joberror.io/operator/internal/retention"
)

const (
	// minMass holds how many unexpected expiries a mass expiry has at least.
	minMass = 100
	// pace limits the unexpected expiries in a second, so that somebody can react.
	pace = 10
	// recheckAfter is when an object that is held back is looked at again.
	recheckAfter = 10 * time.Minute
)

// Reason says why an expired object is not deleted.
type Reason string

// Reasons for holding back an expired object.
const (
	// ClockSkew means that the operator's clock and the API server's differ. Nothing
	// expires until they agree.
	ClockSkew Reason = "ClockSkew"
	// MassExpiry means that most objects would be deleted at once, unexpectedly.
	MassExpiry Reason = "MassExpiry"
	// Paced means that other objects are deleted first.
	Paced Reason = "Paced"
)

// situation holds what the decision about one expired object depends on.
type situation struct {
	cause Cause
	// ahead is how far the operator's clock is ahead of the API server's.
	ahead time.Duration
	// allowMass deletes unexpectedly expired objects without a limit.
	allowMass bool
	tally     tally
	// now and limiter pace the unexpected expiries.
	now     time.Time
	limiter *rate.Limiter
}

// rules decide about one expired object. The first that applies says why it is held back;
// it is deleted if that reason is empty.
var rules = []struct {
	applies func(s *situation) bool
	hold    Reason
}{
	{(*situation).clocksDiffer, ClockSkew},
	{(*situation).isOrdinary, ""},
	{(*situation).isAllowed, ""},
	{(*situation).isMass, MassExpiry},
	{(*situation).exceedsPace, Paced},
}

func (s *situation) clocksDiffer() bool { return s.ahead.Abs() > retention.ClockSkew }
func (s *situation) isOrdinary() bool   { return s.cause == "" }
func (s *situation) isAllowed() bool    { return s.allowMass }
func (s *situation) exceedsPace() bool  { return !s.limiter.AllowN(s.now, 1) }

func (s *situation) isMass() bool {
	unexpected := s.tally.unexpectedly()
	return unexpected >= minMass && unexpected > s.tally.all/2
}

// decide returns why the object is held back. The reason is empty if it is deleted.
func (s *situation) decide() Reason {
	for _, rule := range rules {
		if rule.applies(s) {
			return rule.hold
		}
	}
	return ""
}

// waitFor returns how long an object that is held back for a reason waits. Paced
// objects come back at about the pace at which they may be deleted.
func (s *situation) waitFor(reason Reason) time.Duration {
	if reason == Paced {
		return min(max(time.Second, time.Duration(s.tally.unexpectedly())*time.Second/pace), recheckAfter)
	}
	return recheckAfter
}
