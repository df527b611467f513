// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package options holds the operator's settings and their flags.
package options

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"joberror.io/operator/internal/apiserver"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/retention"
)

// Options are the operator's settings.
type Options struct {
	// Kubeconfig is the file to reach the cluster with; empty in a cluster.
	Kubeconfig string
	// Namespace is the one that the operator is installed in.
	Namespace string
	// LeaderElect lets one of several replicas alone run the controllers.
	LeaderElect bool
	// HealthAddress, MetricsAddress and PprofAddress are where these are
	// served; 0 turns one off.
	HealthAddress  string
	MetricsAddress string
	PprofAddress   string
	// MetricsInsecure serves the metrics without TLS, to everybody.
	MetricsInsecure bool
	// WebhookHost and WebhookPort are where the webhooks are served.
	WebhookHost string
	WebhookPort int
	// CertDir is the folder for the serving certificate.
	CertDir string
	// ManageCertificates is false where another tool makes the certificate.
	ManageCertificates bool
	// Retention is how long records are kept.
	Retention time.Duration
	// Concurrency is how many writes are in flight at a time.
	Concurrency int
	// APIServer are the settings of the aggregated API.
	APIServer apiserver.Options
	// Capture is what of failed Jobs is recorded by itself.
	Capture capturepolicy.Options
	// Version asks for the version alone.
	Version bool

	retention string
}

// New returns the defaults.
func New() *Options {
	return &Options{
		Namespace:      attribution.OperatorNamespace,
		HealthAddress:  ":8081",
		MetricsAddress: "0",
		PprofAddress:   "0",
		WebhookPort:    9443,
		CertDir:        "/tmp/joberror-certs",
		Concurrency:    8,

		ManageCertificates: true,
		APIServer:          apiserver.NewOptions(),
		Capture:            capturepolicy.NewOptions(),
		retention:          "30d",
	}
}

// AddFlags adds a flag for each setting.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "File to reach the cluster with; not needed inside one.")
	flags.StringVar(&o.Namespace, "namespace", o.Namespace, "Namespace that the operator is installed in.")
	flags.BoolVar(&o.LeaderElect, "leader-elect", o.LeaderElect, "Let one of several replicas alone run the controllers.")
	flags.StringVar(&o.HealthAddress, "health-bind-address", o.HealthAddress, "Address of the probes /healthz and /readyz; 0 for none.")
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", o.MetricsAddress, "Address of /metrics, for whom the API server lets get that path; 0 for none.")
	flags.BoolVar(&o.MetricsInsecure, "metrics-insecure", o.MetricsInsecure, "Serve /metrics without TLS, to everybody: loopback only.")
	flags.StringVar(&o.PprofAddress, "pprof-bind-address", o.PprofAddress, "Address of Go's profiles; 0 for none. They are for whoever reaches it: loopback only.")
	flags.StringVar(&o.WebhookHost, "webhook-bind-address", o.WebhookHost, "Address that the webhooks listen on.")
	flags.IntVar(&o.WebhookPort, "webhook-port", o.WebhookPort, "Port that the webhooks listen on.")
	flags.StringVar(&o.CertDir, "cert-dir", o.CertDir, "Folder for the serving certificate; made where it is missing.")
	flags.BoolVar(&o.ManageCertificates, "manage-certificates", o.ManageCertificates, "Make and renew the certificate and have the API server trust it; false where another tool does, cert-manager for example.")
	flags.StringVar(&o.retention, "retention", o.retention, "How long records are kept, for example 12h, 7d or 4w.")
	flags.IntVar(&o.Concurrency, "concurrency", o.Concurrency, "How many writes of JobErrors are in flight at a time.")
	flags.BoolVar(&o.Version, "version", o.Version, "Print the version and exit.")
	o.Capture.AddFlags(flags)
	o.APIServer.AddFlags(flags)
}

// Validate completes the settings and names each that can't be.
func (o *Options) Validate() error {
	var errs []error
	d, err := model.ParseDuration(o.retention)
	if err != nil || d <= 0 {
		errs = append(errs, fmt.Errorf("--retention: %q must be a positive number with a unit, for example 12h, 7d or 4w", o.retention))
	}
	o.Retention = time.Duration(d)
	if o.WebhookPort < 1 || o.WebhookPort > 65535 {
		errs = append(errs, fmt.Errorf("--webhook-port: %d is no port: it must be between 1 and 65535", o.WebhookPort))
	}
	if o.Concurrency < 1 || o.Concurrency > 1000 {
		errs = append(errs, fmt.Errorf("--concurrency: %d must be between 1 and 1000", o.Concurrency))
	}
	if o.Namespace == "" {
		errs = append(errs, errors.New("--namespace: must not be empty"))
	}
	return errors.Join(slices.Concat(errs, o.Capture.Validate(), o.APIServer.Validate())...)
}

// Policy is the retention policy that the settings ask for.
func (o *Options) Policy() retention.Policy { return retention.Policy{Default: o.Retention} }
