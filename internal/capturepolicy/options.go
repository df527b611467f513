// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package capturepolicy decides which Jobs are captured, by the --capture flags and the
// annotations that opt out.
package capturepolicy

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// maxLimit limits the number of captured errors of a Job.
const maxLimit = 10_000

// Options hold the settings of automatic capture.
type Options struct {
	// Enabled is false if nothing is captured.
	Enabled bool
	// Namespaces lists the namespaces whose Jobs are watched; empty means all.
	Namespaces []string
	// Limit is how many failures of a Job's pods are recorded one by one.
	Limit int
	// Grace is how long a pod may be unable to run before the failure is recorded.
	Grace time.Duration
	// LogLines is how many lines at the end of its log become the message of a container
	// that failed without a termination message; 0 means none.
	LogLines int64
	// AutoResolve resolves captured errors when the same work succeeds.
	AutoResolve bool

	labels   string
	selector labels.Selector
}

// NewOptions returns the defaults, which capture the failures of all Jobs.
func NewOptions() Options {
	return Options{Enabled: true, Limit: 100, Grace: 2 * time.Minute, AutoResolve: true, selector: labels.Everything()}
}

// AddFlags adds a flag for each setting.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.Enabled, "capture", o.Enabled, "Record the failures of Jobs and their pods.")
	flags.StringSliceVar(&o.Namespaces, "capture-namespaces", o.Namespaces, "Namespaces whose Jobs are captured, separated by commas. Empty means all namespaces.")
	flags.StringVar(&o.labels, "capture-selector", o.labels, "Label selector of the Jobs that are captured, for example team=data,tier!=test. Empty means all Jobs.")
	flags.IntVar(&o.Limit, "capture-limit", o.Limit, "How many failures of a Job's pods are recorded one by one. Failures over the limit are counted together.")
	flags.DurationVar(&o.Grace, "capture-grace", o.Grace, "How long a pod may be unable to run before the failure is recorded, for example because its image is missing.")
	flags.Int64Var(&o.LogLines, "capture-log-lines", o.LogLines, "How many lines at the end of its log become the message of a container that failed without a termination message. Needs the permission to read pod logs. 0 means none.")
	flags.BoolVar(&o.AutoResolve, "auto-resolve", o.AutoResolve, "Resolve captured errors when the Job, or the next run of its CronJob, succeeds.")
}

// Validate parses the settings and returns an error for each invalid one.
func (o *Options) Validate() []error {
	var errs []error
	var err error
	if o.selector, err = labels.Parse(o.labels); err != nil {
		errs = append(errs, fmt.Errorf("--capture-selector: %q is not a label selector: %w", o.labels, err))
	}
	for _, namespace := range o.Namespaces {
		if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
			errs = append(errs, fmt.Errorf("--capture-namespaces: %q is not the name of a namespace: %s", namespace, problems[0]))
		}
	}
	if o.Limit < 1 || o.Limit > maxLimit {
		errs = append(errs, fmt.Errorf("--capture-limit: %d must be between 1 and %d", o.Limit, maxLimit))
	}
	if o.LogLines < 0 || o.LogLines > 1000 {
		errs = append(errs, fmt.Errorf("--capture-log-lines: %d must be between 0 and 1000", o.LogLines))
	}
	if o.Grace < 0 || o.Grace > 24*time.Hour {
		errs = append(errs, fmt.Errorf("--capture-grace: %s must be between 0 and 24h", o.Grace))
	}
	return errs
}
