// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package options holds the operator's settings and their flags.
package options

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"joberror.io/operator/internal/apiserver"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retry"
)

// Options hold the operator's settings.
type Options struct {
	// Kubeconfig is the path of the kubeconfig file; empty in a cluster.
	Kubeconfig string
	// Namespace is the namespace that the operator is installed in.
	Namespace string
	// LeaderElect makes only one of several replicas run the controllers.
	LeaderElect bool
	// HealthAddress, MetricsAddress and PprofAddress are the addresses to listen on;
	// 0 turns the server off.
	HealthAddress  string
	MetricsAddress string
	PprofAddress   string
	// MetricsInsecure serves the metrics to everyone, without TLS.
	MetricsInsecure bool
	// MetricsWorkloads limits the workloads that metrics are exported for one by one.
	MetricsWorkloads int
	// WebhookHost and WebhookPort are the address and the port of the webhook server.
	WebhookHost string
	WebhookPort int
	// WebhookClientCAFile holds the CAs that sign the certificates of webhook clients; empty
	// if clients need no certificate.
	WebhookClientCAFile string
	// CertDir is the directory of the serving certificate.
	CertDir string
	// ManageCertificates is false if another tool maintains the certificate.
	ManageCertificates bool
	// Retention is how long errors, resolutions and retries are kept.
	Retention time.Duration
	// MinRetention is the shortest retention that a Job may request; 0 allows any.
	MinRetention time.Duration
	// AllowCascade lets a Job request that its errors are deleted with it.
	AllowCascade bool
	// AllowMassExpiry deletes all unexpectedly expired objects at once.
	AllowMassExpiry bool
	// Limits are how many errors are kept, whatever their retention.
	Limits errorlimit.Limits
	// MaxRetries limits the retries of one Job; 0 is unlimited.
	MaxRetries int32
	// Concurrency is how many writes of JobErrors are in flight at the same time.
	Concurrency int
	// APIServer holds the settings of the aggregated API.
	APIServer apiserver.Options
	// Capture holds the settings of automatic capture.
	Capture capturepolicy.Options
	// Archive holds the settings of the archive.
	Archive archiver.Options
	// Version prints the version and exits.
	Version bool

	retention, minRetention string
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
		MaxRetries:     50,

		MetricsWorkloads: 1_000,

		ManageCertificates: true,
		APIServer:          apiserver.NewOptions(),
		Capture:            capturepolicy.NewOptions(),
		Archive:            archiver.NewOptions(),
		Limits:             errorlimit.NewLimits(),
		retention:          "30d",
		minRetention:       "1d",
	}
}

// AddFlags adds a flag for each setting.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "Path of a kubeconfig file. Not needed in a cluster.")
	flags.StringVar(&o.Namespace, "namespace", o.Namespace, "Namespace that the operator is installed in.")
	flags.BoolVar(&o.LeaderElect, "leader-elect", o.LeaderElect, "Make only one of several replicas run the controllers.")
	flags.StringVar(&o.HealthAddress, "health-bind-address", o.HealthAddress, "Address of the probes /healthz and /readyz. 0 turns them off.")
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", o.MetricsAddress, "Address of /metrics. Callers need the permission to get the URL /metrics. 0 turns it off.")
	flags.BoolVar(&o.MetricsInsecure, "metrics-insecure", o.MetricsInsecure, "Serve /metrics to everyone, without TLS. Only on loopback.")
	flags.IntVar(&o.MetricsWorkloads, "metrics-workloads", o.MetricsWorkloads, "For how many CronJobs and other workloads open errors are exported one by one. The errors of the others are summed for each namespace.")
	flags.StringVar(&o.PprofAddress, "pprof-bind-address", o.PprofAddress, "Address of Go's profiles, which are served to everyone. Only on loopback. 0 turns them off.")
	flags.StringVar(&o.WebhookHost, "webhook-bind-address", o.WebhookHost, "Address that the webhook server listens on.")
	flags.IntVar(&o.WebhookPort, "webhook-port", o.WebhookPort, "Port that the webhook server listens on.")
	flags.StringVar(&o.WebhookClientCAFile, "webhook-client-ca-file", o.WebhookClientCAFile, "Path of the CAs that sign the certificates of webhook clients. Clients need no certificate if empty.")
	flags.StringVar(&o.CertDir, "cert-dir", o.CertDir, "Directory of the serving certificate. Created if it is missing.")
	flags.BoolVar(&o.ManageCertificates, "manage-certificates", o.ManageCertificates, "Create and renew the serving certificate and make the API server trust it. Set to false if another tool does, for example cert-manager.")
	flags.StringVar(&o.retention, "retention", o.retention, "How long errors and requests are kept, for example 12h, 7d or 4w.")
	flags.StringVar(&o.minRetention, "min-retention", o.minRetention, "The shortest retention that a Job may request with the annotation joberror.io/retention. At most --retention. 0 allows any.")
	flags.BoolVar(&o.AllowCascade, "allow-cascade", o.AllowCascade, "Honor the annotation joberror.io/deletion-policy=Cascade of a Job, which deletes its errors with it. Everybody who may edit and delete a Job may then delete its errors.")
	flags.BoolVar(&o.AllowMassExpiry, "allow-mass-expiry", o.AllowMassExpiry, "Delete what has expired unexpectedly at once, for example after a shorter --retention. Otherwise, it is deleted slowly, or not at all if it is more than half of all errors and at least 100.")
	flags.Int32Var(&o.MaxRetries, "max-retries", o.MaxRetries, "How often a Job may be retried. 0 is unlimited.")
	flags.IntVar(&o.Concurrency, "concurrency", o.Concurrency, "How many writes of JobErrors are in flight at the same time.")
	flags.BoolVar(&o.Version, "version", o.Version, "Print the version and exit.")
	o.Limits.AddFlags(flags)
	o.Capture.AddFlags(flags)
	o.Archive.AddFlags(flags)
	o.APIServer.AddFlags(flags)
}

// Validate parses the settings and returns an error that names each invalid flag.
func (o *Options) Validate() error {
	var errs []error
	d, err := model.ParseDuration(o.retention)
	if err != nil || d <= 0 {
		errs = append(errs, fmt.Errorf("--retention: %q must be a positive number with a unit, for example 12h, 7d or 4w", o.retention))
	}
	o.Retention = time.Duration(d)
	minimum, err := model.ParseDuration(o.minRetention)
	switch o.MinRetention = time.Duration(minimum); {
	case err != nil || minimum < 0:
		errs = append(errs, fmt.Errorf("--min-retention: %q must be 0 or a positive number with a unit, for example 12h or 1d", o.minRetention))
	case o.Retention > 0 && o.MinRetention > o.Retention:
		errs = append(errs, fmt.Errorf("--min-retention: %s must not be longer than --retention, which is %s", minimum, d))
	}
	if o.WebhookPort < 1 || o.WebhookPort > 65535 {
		errs = append(errs, fmt.Errorf("--webhook-port: %d must be between 1 and 65535", o.WebhookPort))
	}
	if o.Concurrency < 1 || o.Concurrency > 1000 {
		errs = append(errs, fmt.Errorf("--concurrency: %d must be between 1 and 1000", o.Concurrency))
	}
	if o.MaxRetries < 0 || o.MaxRetries > retry.MaxAttempts {
		errs = append(errs, fmt.Errorf("--max-retries: %d must be between 0 and %d", o.MaxRetries, retry.MaxAttempts))
	}
	if o.MetricsWorkloads < 0 || o.MetricsWorkloads > 100_000 {
		errs = append(errs, fmt.Errorf("--metrics-workloads: %d must be between 0 and 100000", o.MetricsWorkloads))
	}
	if o.MetricsInsecure {
		errs = append(errs, checkLoopback("--metrics-bind-address", o.MetricsAddress, " with --metrics-insecure"))
	}
	errs = append(errs, checkLoopback("--pprof-bind-address", o.PprofAddress, ""))
	if o.Namespace == "" {
		errs = append(errs, errors.New("--namespace: must not be empty"))
	}
	return errors.Join(slices.Concat(errs, o.Limits.Validate(), o.Capture.Validate(), o.Archive.Validate(), o.APIServer.Validate())...)
}

// checkLoopback returns an error unless an address that everyone may use is off or on the
// loopback interface.
func checkLoopback(flag, address, when string) error {
	if address == "0" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %q must be an address with a port, for example 127.0.0.1:8080", flag, address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s: %q must be on loopback%s, for example 127.0.0.1:8080", flag, address, when)
	}
	return nil
}

// Policy returns the retention policy of the settings.
func (o *Options) Policy() retention.Policy {
	return retention.Policy{Default: o.Retention, Min: o.MinRetention, AllowCascade: o.AllowCascade, ResolvedAfter: o.Archive.ResolvedAfter}
}
