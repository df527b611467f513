// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package api reads and writes the errors of Jobs for the plugin: the resources through the
// API server, and the endpoints of the aggregated API, which may be down.
package api

import (
	"fmt"
	"net/http"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Scheme holds the types that the plugin reads and prints.
var Scheme = runtime.NewScheme()

func init() {
	utilruntime.Must(clientgoscheme.AddToScheme(Scheme))
	utilruntime.Must(joberrorv1.AddToScheme(Scheme))
}

// Client reads and writes resources, and calls the endpoints of the aggregated API.
type Client struct {
	client.WithWatch
	endpoints rest.Interface
	// http sends the requests whose answers have headers that endpoints drops.
	http *http.Client
}

// New returns a client. owners maps the kinds of the owners of Jobs to resources.
func New(config *rest.Config, owners meta.RESTMapper) (*Client, error) {
	config = rest.CopyConfig(config)
	// A person waits for each request, and only a few are sent at a time. The API server's priority
	// and fairness limit the rest.
	config.QPS = -1
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	// Discovery takes a request for each API group, so the plugin's own kinds go without it.
	mapper := meta.FirstHitRESTMapper{MultiRESTMapper: meta.MultiRESTMapper{knownKinds(), owners}}
	resources, err := client.NewWithWatch(config, client.Options{HTTPClient: httpClient, Scheme: Scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	raw := rest.CopyConfig(config)
	raw.NegotiatedSerializer = serializer.NewCodecFactory(Scheme).WithoutConversion()
	raw.ContentType, raw.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	endpoints, err := rest.UnversionedRESTClientForConfigAndClient(raw, httpClient)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	return &Client{WithWatch: resources, endpoints: endpoints, http: httpClient}, nil
}

func knownKinds() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, kind := range []schema.GroupVersionKind{
		joberrorv1.GroupVersion.WithKind("JobError"),
		joberrorv1.GroupVersion.WithKind("JobErrorResolution"),
		joberrorv1.GroupVersion.WithKind("JobErrorRetry"),
		batchv1.SchemeGroupVersion.WithKind("Job"),
		batchv1.SchemeGroupVersion.WithKind("CronJob"),
		corev1.SchemeGroupVersion.WithKind("Pod"),
	} {
		mapper.Add(kind, meta.RESTScopeNamespace)
	}
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	return mapper
}
