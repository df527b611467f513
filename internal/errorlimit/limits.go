// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package errorlimit limits how many JobErrors are kept, whatever their retention: it
// holds the limits, and counts the JobErrors that each limit applies to.
package errorlimit

import (
	"fmt"

	"github.com/spf13/pflag"
)

// Flags of the limits.
const (
	flagCronJob   = "max-errors-per-cronjob"
	flagJob       = "max-errors-per-job"
	flagNamespace = "max-errors-per-namespace"
)

// Limits hold how many JobErrors are kept in each kind of scope. 0 means unlimited.
type Limits struct {
	// CronJob limits the captured errors of a CronJob.
	CronJob int
	// Job limits the errors of a Job that were not captured.
	Job int
	// Namespace limits all errors of a namespace.
	Namespace int
}

// NewLimits returns the defaults.
func NewLimits() Limits { return Limits{CronJob: 1_000, Job: 10_000, Namespace: 20_000} }

// AddFlags adds a flag for each limit.
func (l *Limits) AddFlags(flags *pflag.FlagSet) {
	flags.IntVar(&l.CronJob, flagCronJob, l.CronJob, "How many captured errors of a CronJob are kept. More are deleted, resolved ones first, then the oldest. 0 is unlimited.")
	flags.IntVar(&l.Job, flagJob, l.Job, "How many reported errors of a Job are kept. More are deleted like those of a CronJob. 0 is unlimited.")
	flags.IntVar(&l.Namespace, flagNamespace, l.Namespace, "How many errors of a namespace are kept, after the other limits are applied. 0 is unlimited.")
}

// Validate returns an error for each invalid limit.
func (l *Limits) Validate() []error {
	var errs []error
	for _, limit := range []struct {
		flag  string
		value int
	}{{flagCronJob, l.CronJob}, {flagJob, l.Job}, {flagNamespace, l.Namespace}} {
		if limit.value < 0 {
			errs = append(errs, fmt.Errorf("--%s: %d must be 0, which is unlimited, or more", limit.flag, limit.value))
		}
	}
	return errs
}

// Of returns the limit of a kind of scope; 0 if it is unlimited.
func (l Limits) Of(kind Kind) int {
	switch kind {
	case CronJob:
		return l.CronJob
	case Job:
		return l.Job
	default:
		return l.Namespace
	}
}

// exceeds reports whether a scope of a kind has too many errors.
func (l Limits) exceeds(kind Kind, count int) bool { return l.Of(kind) > 0 && count > l.Of(kind) }
