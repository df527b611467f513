// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"joberror.io/operator/internal/archive"
)

// Limits of the interval. If the leader changes, a record waits for up to two intervals. After an
// hour, the new leader would treat its expiry as unexpected.
const (
	minInterval = time.Second
	maxInterval = 30 * time.Minute
)

// Options hold the settings of the archive.
type Options struct {
	// URL names the archive. It is empty without one.
	URL string
	// Interval is how long a record waits at most for others that are written with it.
	Interval time.Duration
	// Backlog is how many records may wait while the store is down; 0 is unlimited.
	Backlog int
	// ResolvedAfter is how long after it was resolved a record moves to the archive. 0 keeps it
	// until its retention ends.
	ResolvedAfter time.Duration

	resolvedAfter string
}

// NewOptions returns the defaults.
func NewOptions() Options {
	return Options{Interval: 5 * time.Minute, Backlog: 100_000, resolvedAfter: "0"}
}

// Enabled reports whether there is an archive.
func (o *Options) Enabled() bool { return o.URL != "" }

// AddFlags adds a flag for each setting.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.URL, "archive-url", o.URL, "Archive that errors are written to before they are deleted, for example s3://bucket?region=eu-central-1 or file:///directory. Without it, expired errors are deleted at once.")
	flags.DurationVar(&o.Interval, "archive-interval", o.Interval, "How long an expired error waits for others that are written to the archive with it.")
	flags.IntVar(&o.Backlog, "archive-backlog", o.Backlog, "How many errors may wait while the archive can't be written. Above it, those that expired first are deleted without being archived. 0 is unlimited.")
	flags.StringVar(&o.resolvedAfter, "archive-resolved-after", o.resolvedAfter, "How long after it was resolved an error moves to the archive, for example 7d, if that is before its retention ends. 0 turns it off.")
}

// Validate parses the settings and returns an error for each invalid flag.
func (o *Options) Validate() []error {
	var errs []error
	after, err := model.ParseDuration(o.resolvedAfter)
	switch o.ResolvedAfter = time.Duration(after); {
	case err != nil || after < 0:
		errs = append(errs, fmt.Errorf("--archive-resolved-after: %q must be 0 or a positive number with a unit, for example 12h or 7d", o.resolvedAfter))
	case after > 0 && !o.Enabled():
		errs = append(errs, errors.New("--archive-resolved-after: needs an archive: set --archive-url"))
	}
	if o.Interval < minInterval || o.Interval > maxInterval {
		errs = append(errs, fmt.Errorf("--archive-interval: %s must be between 1s and 30m", o.Interval))
	}
	if o.Backlog < 0 {
		errs = append(errs, fmt.Errorf("--archive-backlog: %d must be 0, which is unlimited, or more", o.Backlog))
	}
	if o.Enabled() {
		if err := archive.Validate(o.URL); err != nil {
			errs = append(errs, fmt.Errorf("--archive-url: %w", err))
		}
	}
	return errs
}
