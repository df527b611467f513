// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package apiserver is the aggregated API of the group resolve.joberror.io. It
// authenticates and authorizes by asking the API server in front, and keeps
// nothing of its own: it resolves by creating a JobErrorResolution, and reports by
// creating JobErrors or counting in them.
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
	ctrl "sigs.k8s.io/controller-runtime"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/serving"
)

// Server is the aggregated API server. As a manager's Runnable it serves on
// every replica.
type Server struct {
	options     Options
	kubeconfig  string
	certificate *certs.Certificate
	drain       serving.Drain
	listener    net.Listener
	storage     map[string]rest.Storage
	serving     atomic.Bool
}

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create
// +kubebuilder:rbac:groups=joberror.io,resources=joberrorresolutions;joberrors,verbs=create
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=get;patch
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors/status,verbs=patch

// Setup adds the server to the manager. It takes the port at once, so that one
// that is in use is known at start. The kubeconfig may be empty in a cluster.
func Setup(ctx context.Context, mgr ctrl.Manager, opts Options, policy retention.Policy, kubeconfig string, certificate *certs.Certificate, drain serving.Drain) (*Server, error) {
	address := net.JoinHostPort(opts.BindAddress, strconv.Itoa(opts.Port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("aggregated API: %w", err)
	}
	waiter, err := newWaiter(ctx, mgr.GetCache())
	if err != nil {
		return nil, err
	}
	backend := &backend{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), waiter: waiter, wait: opts.Wait,
		policy: policy, reports: semaphore.NewWeighted(reportsInFlight),
	}
	s := &Server{
		options:     opts,
		kubeconfig:  kubeconfig,
		certificate: certificate,
		drain:       drain,
		listener:    listener,
		storage: map[string]rest.Storage{
			"jobs":           &jobStorage{cache: mgr.GetClient()},
			"jobs/joberrors": &jobErrorStorage{backend: backend},
		},
	}
	return s, mgr.Add(s)
}

// NeedLeaderElection tells the manager that every replica serves.
func (s *Server) NeedLeaderElection() bool { return false }

// Start serves until the context ends, then lets the requests under way finish.
func (s *Server) Start(ctx context.Context) error {
	if !s.certificate.Wait(ctx) {
		return s.listener.Close()
	}
	generic, err := s.build()
	if err != nil {
		return fmt.Errorf("aggregated API: %w", err)
	}
	generic.AddPostStartHookOrDie("serving", func(server.PostStartHookContext) error {
		s.serving.Store(true)
		return nil
	})
	defer s.serving.Store(false)
	return generic.PrepareRun().RunWithContext(ctx)
}

// Check is a readiness check.
func (s *Server) Check(*http.Request) error {
	if !s.serving.Load() {
		return errors.New("the aggregated API is not served yet")
	}
	return nil
}

func (s *Server) build() (*server.GenericAPIServer, error) {
	config, err := s.config()
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

// bodyTimeout is how long a body of a few megabytes may take.
const bodyTimeout = 30 * time.Second

// buildHandlerChain puts what the library's chain lacks around and into it.
func (s *Server) buildHandlerChain(handler http.Handler, config *server.Config) http.Handler {
	measured := metrics.MeasureRequests(withDryRun(handler), endpointOf)
	return s.drain.Handler(serving.BodyTimeout(server.DefaultBuildHandlerChain(measured, config), bodyTimeout))
}

// endpointOf names the endpoint that a request is to.
func endpointOf(ctx context.Context) string {
	info, ok := request.RequestInfoFrom(ctx)
	switch {
	case !ok || !info.IsResourceRequest || info.APIGroup != resolvev1.GroupVersion.Group || info.Resource != "jobs":
		return "other"
	case info.Subresource == "":
		return "jobs"
	}
	switch action := info.Parts[len(info.Parts)-1]; action {
	case "resolve", "unresolve":
		return action
	default:
		return "joberrors"
	}
}

func (s *Server) config() (*server.RecommendedConfig, error) {
	config := server.NewRecommendedConfig(codecs)
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	config.BuildHandlerChainFunc = s.buildHandlerChain
	addOpenAPI(config)

	serving := options.NewSecureServingOptions()
	serving.Listener, serving.BindPort = s.listener, s.options.Port
	serving.MinTLSVersion = "VersionTLS13"
	serving.HTTP2MaxStreamsPerConnection = 1000
	if err := serving.WithLoopback().ApplyTo(&config.SecureServing, &config.LoopbackClientConfig); err != nil {
		return nil, err
	}
	certificate, err := dynamiccertificates.NewDynamicServingContentFromFiles("serving-cert", s.certificate.CertFile(), s.certificate.KeyFile())
	if err != nil {
		return nil, err
	}
	config.SecureServing.Cert = certificate

	authentication := options.NewDelegatingAuthenticationOptions()
	authentication.RemoteKubeConfigFile = s.kubeconfig
	if err := authentication.ApplyTo(&config.Authentication, config.SecureServing, config.OpenAPIConfig); err != nil {
		return nil, err
	}
	authorization := options.NewDelegatingAuthorizationOptions()
	authorization.RemoteKubeConfigFile = s.kubeconfig
	return config, authorization.ApplyTo(&config.Authorization)
}
