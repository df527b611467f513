// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package apiserver serves the aggregated API of the group resolve.joberror.io. It
// delegates authentication and authorization to the API server in front, and stores
// nothing itself: it resolves by creating a JobErrorResolution, and reports by creating
// JobErrors or counting occurrences in them.
package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retryplan"
	"joberror.io/operator/internal/serving"
)

// Config holds what the aggregated API server needs from the rest of the operator.
type Config struct {
	Options
	// Retention limits how old a reported record may be.
	Retention retention.Policy
	// Kubeconfig is the path of the kubeconfig for the API server in front. It may be empty
	// in a cluster.
	Kubeconfig string
	// Certificate is the serving certificate.
	Certificate *certs.Certificate
	// Drain makes clients reconnect to another replica before a shutdown.
	Drain serving.Drain
	// Planner plans retries.
	Planner *retryplan.Planner
	// Errors counts the errors that the limits apply to.
	Errors *errorlimit.Counter
	// Archive reads archived errors. It is nil if the operator has no archive.
	Archive ArchiveReader
}

// Server runs the aggregated API server on every replica.
type Server struct {
	config    Config
	backend   *backend
	listener  net.Listener
	summaries *summaries
	budget    *budget
	storage   map[string]rest.Storage
	// frontCA signs the certificate of the API server in front. It is set before started.
	frontCA dynamiccertificates.CAContentProvider
	started atomic.Bool
}

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list
// +kubebuilder:rbac:groups=joberror.io,resources=joberrorresolutions;joberrorretries;joberrors,verbs=create
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=get;patch
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors/status,verbs=patch

// Setup adds the server to the manager. It opens the port immediately, so that a port in
// use is an error at startup.
func Setup(ctx context.Context, mgr ctrl.Manager, config Config) (*Server, error) {
	address := net.JoinHostPort(config.BindAddress, strconv.Itoa(config.Port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start the aggregated API: %w", err)
	}
	resolutions, err := newWaiter(ctx, mgr.GetCache())
	if err != nil {
		return nil, fmt.Errorf("watch JobErrorResolutions: %w", err)
	}
	if err := indexResolutions(ctx, mgr.GetFieldIndexer()); err != nil {
		return nil, fmt.Errorf("index JobErrorResolutions: %w", err)
	}
	summaries, err := newSummaries(ctx, mgr.GetCache())
	if err != nil {
		return nil, fmt.Errorf("watch JobErrors: %w", err)
	}
	b := &backend{
		client:      mgr.GetClient(),
		apiReader:   mgr.GetAPIReader(),
		resolutions: resolutions,
		waiting:     newPlaces(waitingPlaces),
		summaries:   summaries,
		timeout:     config.Wait,
		retention:   config.Retention,
		storing:     semaphore.NewWeighted(maxStoring),
		planner:     config.Planner,
		errors:      config.Errors,
		archive:     newArchiveSource(config.Archive, mgr.GetAPIReader()),
	}
	s := &Server{
		config:    config,
		backend:   b,
		listener:  listener,
		summaries: summaries,
		budget:    newBudget(memoryTimeout),
		storage: map[string]rest.Storage{
			"jobs":           &jobStorage{cache: mgr.GetClient(), summaries: summaries},
			"jobs/joberrors": &jobErrorStorage{backend: b},
			"jobs/retry":     &retryStorage{backend: b},
		},
	}
	return s, mgr.Add(s)
}

// NeedLeaderElection returns false: every replica serves.
func (s *Server) NeedLeaderElection() bool { return false }

// Start serves until the context ends, and then lets the requests in progress finish.
func (s *Server) Start(ctx context.Context) error {
	if !s.config.Certificate.Wait(ctx) {
		return s.listener.Close()
	}
	if !toolscache.WaitForCacheSync(ctx.Done(), s.summaries.synced) {
		return s.listener.Close()
	}
	generic, err := s.build()
	if err != nil {
		return fmt.Errorf("start the aggregated API: %w", err)
	}
	generic.AddPostStartHookOrDie("serving", func(server.PostStartHookContext) error {
		s.started.Store(true)
		return nil
	})
	defer s.started.Store(false)
	return generic.PrepareRun().RunWithContext(ctx)
}

// Check returns an error until the server is ready. Until it knows the CA of the API server in
// front, each request is anonymous to it, and it would answer 403.
func (s *Server) Check(*http.Request) error {
	if !s.started.Load() {
		return errors.New("the aggregated API has not started yet")
	}
	if len(s.frontCA.CurrentCABundleContent()) == 0 {
		return errors.New("the aggregated API has not read the CA of the API server in front yet")
	}
	return nil
}

// build returns the generic server with the group installed.
func (s *Server) build() (*server.GenericAPIServer, error) {
	config, err := s.genericConfig()
	if err != nil {
		return nil, err
	}
	generic, err := config.Complete().New("joberror-apiserver", server.NewEmptyDelegate())
	if err != nil {
		return nil, err
	}
	group := server.NewDefaultAPIGroupInfo(resolvev1.GroupVersion.Group, scheme, runtime.NewParameterCodec(scheme), codecs)
	group.VersionedResourcesStorageMap[resolvev1.GroupVersion.Version] = s.storage
	return generic, generic.InstallAPIGroup(&group)
}

// Limits of the requests that the library serves at the same time, discovery included. They
// are more than one namespace may use.
const (
	maxReads   = 2 * requestsOfNamespace
	maxWrites  = 2*requestsOfNamespace + waitingPlaces
	maxStreams = 100
)

// bodyTimeout limits how long a client may take to send a body of a few megabytes.
const bodyTimeout = 30 * time.Second

// buildHandlerChain adds metrics, the memory budget, dry run, the body timeout and the drain to
// the library's handler chain.
func (s *Server) buildHandlerChain(handler http.Handler, config *server.Config) http.Handler {
	measured := metrics.MeasureRequests(s.withBudget(withDryRun(handler)), endpointOf)
	return s.config.Drain.Handler(serving.BodyTimeout(server.DefaultBuildHandlerChain(markArchived(measured), config), bodyTimeout))
}

// endpointOf returns the name of a request's endpoint for the metrics.
func endpointOf(ctx context.Context) string {
	info, ok := request.RequestInfoFrom(ctx)
	switch {
	case !ok || !isAboutJobs(info):
		return "other"
	case info.Subresource == "":
		return "jobs"
	}
	switch action := info.Parts[len(info.Parts)-1]; action {
	case "resolve", "unresolve", "retry":
		return action
	default:
		if ctx.Value(archivedKey{}) != nil {
			return "history"
		}
		return "joberrors"
	}
}

type archivedKey struct{}

// markArchived notes in the context of a request that it asks for archived records, which take
// longer and so are measured apart.
func markArchived(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wantsArchive(r) {
			r = r.WithContext(context.WithValue(r.Context(), archivedKey{}, true))
		}
		handler.ServeHTTP(w, r)
	})
}

// genericConfig returns the configuration of the generic server.
func (s *Server) genericConfig() (*server.RecommendedConfig, error) {
	config := server.NewRecommendedConfig(codecs)
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	config.BuildHandlerChainFunc = s.buildHandlerChain
	config.MaxRequestsInFlight, config.MaxMutatingRequestsInFlight = maxReads, maxWrites
	addOpenAPI(config)

	secure := options.NewSecureServingOptions()
	secure.Listener, secure.BindPort = s.listener, s.config.Port
	secure.MinTLSVersion = "VersionTLS13"
	secure.HTTP2MaxStreamsPerConnection = maxStreams
	if err := secure.WithLoopback().ApplyTo(&config.SecureServing, &config.LoopbackClientConfig); err != nil {
		return nil, err
	}
	certificate, err := dynamiccertificates.NewDynamicServingContentFromFiles("serving-cert", s.config.Certificate.CertFile(), s.config.Certificate.KeyFile())
	if err != nil {
		return nil, err
	}
	config.SecureServing.Cert = certificate

	authentication := options.NewDelegatingAuthenticationOptions()
	authentication.RemoteKubeConfigFile = s.config.Kubeconfig
	if err := authentication.ApplyTo(&config.Authentication, config.SecureServing, config.OpenAPIConfig); err != nil {
		return nil, err
	}
	s.frontCA = config.Authentication.RequestHeaderConfig.CAContentProvider
	authorization := options.NewDelegatingAuthorizationOptions()
	authorization.RemoteKubeConfigFile = s.config.Kubeconfig
	if err := authorization.ApplyTo(&config.Authorization); err != nil {
		return nil, err
	}
	s.backend.authorizer = config.Authorization.Authorizer
	return config, nil
}
