// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// Options hold the settings of the aggregated API server.
type Options struct {
	// BindAddress and Port are the address and the port that the server listens on.
	BindAddress string
	Port        int
	// Wait is how long a request waits for its resolution before it answers 202. The API
	// server in front times out after 60 seconds.
	Wait time.Duration
}

// NewOptions returns the defaults.
func NewOptions() Options {
	return Options{BindAddress: "::", Port: 6443, Wait: 30 * time.Second}
}

// AddFlags adds a flag for each setting.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.BindAddress, "apiserver-bind-address", o.BindAddress, "Address that the aggregated API listens on.")
	flags.IntVar(&o.Port, "apiserver-port", o.Port, "Port that the aggregated API listens on.")
	flags.DurationVar(&o.Wait, "apiserver-wait", o.Wait, "How long a request waits for its resolution to complete, or for the Job of its retry, before it answers 202.")
}

// Validate returns an error for each invalid setting.
func (o *Options) Validate() []error {
	var errs []error
	if o.Port < 1 || o.Port > 65535 {
		errs = append(errs, fmt.Errorf("--apiserver-port: %d must be between 1 and 65535", o.Port))
	}
	if o.Wait <= 0 || o.Wait > 55*time.Second {
		errs = append(errs, fmt.Errorf("--apiserver-wait: %s must be more than 0 and at most 55s: the API server in front times out after 60s", o.Wait))
	}
	return errs
}
