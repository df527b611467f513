// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

// maxPatience limits how long a command waits for an API server that does not answer, such as one
// that restarts.
const maxPatience = time.Minute

// patience decides when a command that reads again and again gives up.
type patience struct {
	clock clock.PassiveClock
	// since is when the reads began to fail; zero if the last one did not fail.
	since time.Time
}

// bears takes the result of a read, and reports whether to read again.
func (p *patience) bears(err error) bool {
	switch {
	case err == nil:
		p.since = time.Time{}
		return true
	case isFinal(err):
		return false
	case p.since.IsZero():
		p.since = p.clock.Now()
	}
	return p.clock.Since(p.since) < maxPatience
}

// isFinal reports whether the same request would fail again.
func isFinal(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err)
}
