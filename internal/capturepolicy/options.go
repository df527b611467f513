// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capturepolicy

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// maxLimit keeps the record of what a Job has from growing without end.
const maxLimit = 10_000

// Options are the settings of what is captured by itself.
type Options struct {
	// Enabled is false where nothing is.
	Enabled bool
	// Namespaces are those whose Jobs are watched; empty means all.
	Namespaces []string
	// Limit is how many failures of a Job's pods are recorded one by one.
	Limit int
	// Grace is how long a pod may be unable to run before that is recorded.
	Grace time.Duration
	// LogLines is how much of its log is the message of a container that left
	// none; none where zero.
	LogLines int64
	// AutoResolve resolves what was captured once the same work succeeds.
	AutoResolve bool

	labels   string
	selector labels.Selector
}

// NewOptions returns the defaults: everything of all Jobs.
func NewOptions() Options {
	return Options{Enabled: true, Limit: 100, Grace: 2 * time.Minute, AutoResolve: true, selector: labels.Everything()}
}

// AddFlags adds a flag for each setting.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.Enabled, "capture", o.Enabled, "Record what goes wrong with Jobs and their pods.")
	flags.StringSliceVar(&o.Namespaces, "capture-namespaces", o.Namespaces, "Namespaces whose Jobs are captured, separated by commas; all where left out.")
	flags.StringVar(&o.labels, "capture-selector", o.labels, "Label selector of the Jobs that are captured, for example team=data,tier!=test; all where left out.")
	flags.IntVar(&o.Limit, "capture-limit", o.Limit, "How many failures of a Job's pods are recorded one by one; those over it are counted together.")
	flags.DurationVar(&o.Grace, "capture-grace", o.Grace, "How long a pod may be unable to run, for want of its image for example, before that is recorded.")
	flags.Int64Var(&o.LogLines, "capture-log-lines", o.LogLines, "How many of the last lines of its log are the message of a container that failed without one, which takes a right of its own; 0 for none.")
	flags.BoolVar(&o.AutoResolve, "auto-resolve", o.AutoResolve, "Resolve what was captured once the Job, or the next run of its CronJob, succeeds.")
}

// Validate completes the settings and names each that can't be.
func (o *Options) Validate() []error {
	var errs []error
	var err error
	if o.selector, err = labels.Parse(o.labels); err != nil {
		errs = append(errs, fmt.Errorf("--capture-selector: %q is no label selector: %w", o.labels, err))
	}
	for _, namespace := range o.Namespaces {
		if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
			errs = append(errs, fmt.Errorf("--capture-namespaces: %q is no name of a namespace: %s", namespace, problems[0]))
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
