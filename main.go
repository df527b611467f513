// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command operator records the errors of Kubernetes Jobs.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/common/version"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/controllers"
	"joberror.io/operator/internal/apiserver"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/caches"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/election"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/logs"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/options"
	"joberror.io/operator/internal/pages"
	"joberror.io/operator/internal/probes"
	"joberror.io/operator/internal/retryplan"
	"joberror.io/operator/internal/serverclock"
	"joberror.io/operator/internal/serving"
	"joberror.io/operator/internal/webhook"
)

func main() {
	opts := options.New()
	logging := logsapi.NewLoggingConfiguration()
	flags := pflag.NewFlagSet("operator", pflag.ContinueOnError)
	opts.AddFlags(flags)
	logsapi.AddFlags(logging, flags)
	err := flags.Parse(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err == nil && opts.Version {
		fmt.Println(version.Print("operator"))
		return
	}
	if err == nil {
		err = errors.Join(opts.Validate(), logsapi.ValidateAndApply(logging, nil))
	}
	if err == nil {
		err = run(ctrl.SetupSignalHandler(), opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

// leaseName is the name of the Lease that the leader holds. It is also in
// config/rbac/leader_election.yaml.
const leaseName = "joberror-operator"

// Durations of a graceful shutdown. Together with --apiserver-wait, they must be shorter
// than terminationGracePeriodSeconds in the manifest minus its preStop hook.
const (
	// drainPeriod is how long callers have to move to another replica.
	drainPeriod = 3 * time.Second
	// requestTimeout is how long a request may take, without a wait for a resolution.
	requestTimeout = 10 * time.Second
)

// run sets up the manager and runs it until the stop context ends.
func run(stop context.Context, opts *options.Options) error {
	ctrl.SetLogger(logs.New())
	limitMemory()
	drain, ctx := serving.NewDrain(stop, drainPeriod)
	config, err := clientcmd.BuildConfigFromFlags("", opts.Kubeconfig)
	if err != nil {
		return err
	}
	// The API server's priority and fairness limits the requests, not the client.
	config.QPS = -1
	serverClock := serverclock.New(clock.RealClock{})
	config.Wrap(serverClock.Wrap)
	config.Wrap(pages.Limiter)
	if err := os.MkdirAll(opts.CertDir, 0o700); err != nil {
		return fmt.Errorf("--cert-dir: %w", err)
	}
	certificate := certs.NewCertificate(opts.CertDir)
	webhooks, err := webhook.NewServer(webhook.ServerOptions{
		Host: opts.WebhookHost, Port: opts.WebhookPort, ClientCAFile: opts.WebhookClientCAFile, Certificate: certificate, Drain: drain,
	})
	if err != nil {
		return fmt.Errorf("--webhook-client-ca-file: %w", err)
	}
	lease := types.NamespacedName{Namespace: opts.Namespace, Name: leaseName}
	lock, err := election.NewLock(config, scheme(), lease.Namespace, lease.Name)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme(),
		Cache:                  caches.Options(opts.Namespace, opts.Capture.Namespaces),
		Metrics:                metrics.Options(opts.MetricsAddress, opts.MetricsInsecure, certificate),
		HealthProbeBindAddress: opts.HealthAddress,
		PprofBindAddress:       opts.PprofAddress,
		WebhookServer:          webhooks,
		LeaderElection:         opts.LeaderElect,
		// The lock has its own name. This one is the label of the metric that says who leads.
		LeaderElectionID:              leaseName,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       ptr.To(opts.APIServer.Wait + requestTimeout),

		LeaderElectionResourceLockInterface: lock,
	})
	if err != nil {
		return err
	}
	if err := certs.Setup(ctx, mgr, certs.Options{Namespace: opts.Namespace, Manage: opts.ManageCertificates}, certificate); err != nil {
		return err
	}
	if err := jobref.SetupIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if err := retryplan.SetupIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	planner := &retryplan.Planner{Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), MaxRetries: opts.MaxRetries}
	counter := errorlimit.NewCounter(opts.Limits)
	if err := counter.WatchCache(ctx, mgr.GetCache()); err != nil {
		return err
	}
	if err := webhook.Setup(mgr, opts.Policy()); err != nil {
		return err
	}
	metrics.SetupArchive(archive.Reasons())
	store, err := openArchive(ctx, opts.Archive.URL)
	if err != nil {
		return err
	}
	aggregated, err := apiserver.Setup(ctx, mgr, apiserver.Config{
		Options: opts.APIServer, Retention: opts.Policy(), Kubeconfig: opts.Kubeconfig, Certificate: certificate, Drain: drain, Errors: counter,
		Planner: planner, Archive: store,
	})
	if err != nil {
		return err
	}
	if err := controllers.Setup(ctx, mgr, controllers.Options{
		Archive: opts.Archive, ArchiveStore: store,
		Retention: opts.Policy(), Concurrency: opts.Concurrency, Capture: opts.Capture, Lease: lease,
		AllowMassExpiry: opts.AllowMassExpiry, ClockAhead: serverClock.Ahead, Counter: counter, Planner: planner,
	}); err != nil {
		return err
	}
	if err := metrics.Setup(ctx, mgr, opts.MetricsWorkloads); err != nil {
		return err
	}
	if err := probes.Setup(mgr, certificate, aggregated); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// archiveStore writes and reads the archive.
type archiveStore interface {
	archiver.Store
	apiserver.ArchiveReader
}

// openArchive opens the archive at a URL. It returns nil if there is none.
func openArchive(ctx context.Context, url string) (archiveStore, error) {
	if url == "" {
		return nil, nil
	}
	store, err := archive.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("--archive-url: %w", err)
	}
	return store, nil
}

// gcPercent is how much the heap may grow between two garbage collections. Most of the heap is
// the cache, which rarely changes, so that less garbage costs little time.
const gcPercent = 50

// limitMemory sets the memory limit of the Go runtime to 90 % of the container's limit, so
// that garbage is collected before the container is killed. It also lowers GOGC. The
// environment variables GOMEMLIMIT and GOGC take precedence.
func limitMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	limit, err := memlimit.Set()
	if err != nil {
		// Without cgroups, there is no limit to respect.
		ctrl.Log.Info("The container's memory limit is unknown", "reason", err.Error())
		return
	}
	if limit == math.MaxInt64 {
		ctrl.Log.Info("The memory is not limited")
		return
	}
	ctrl.Log.Info("The memory of the Go runtime is limited", "bytes", limit)
}

// scheme returns the scheme with all types that the operator uses.
func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(apiregistrationv1.AddToScheme(s))
	utilruntime.Must(joberrorv1.AddToScheme(s))
	return s
}
