// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	certnames "joberror.io/operator/internal/certs/names"
)

// readTimeout limits each request. The API server waits longer than that for an aggregated API
// that hangs.
const readTimeout = 15 * time.Second

// reader reads the facts.
type reader struct {
	dynamic dynamic.Interface
	typed   kubernetes.Interface
}

// Gather reads the facts from the cluster with a few requests at the same time. It returns an
// error if the API server can't be reached. What can't be read is a fact too.
func Gather(ctx context.Context, config *rest.Config, namespace, operatorNamespace string) (*Facts, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Timeout = -1, readTimeout
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	r := &reader{dynamic: untyped, typed: typed}
	f := &Facts{Namespace: namespace, OperatorNamespace: operatorNamespace}
	if f.Kubernetes = r.version(ctx); f.Kubernetes.Err != nil {
		return nil, fmt.Errorf("reach the API server: %w", f.Kubernetes.Err)
	}
	var group sync.WaitGroup
	for _, read := range r.reads(f) {
		group.Go(func() { read(ctx) })
	}
	group.Wait()
	return f, ctx.Err()
}

// reads returns the requests. Each writes a fact of its own.
func (r *reader) reads(f *Facts) []func(context.Context) {
	ns := f.OperatorNamespace
	return []func(context.Context){
		func(ctx context.Context) { f.Served = r.served(ctx, "joberror.io/v1"); f.Trial = r.trial(ctx, f) },
		func(ctx context.Context) { f.CRDs = r.crds(ctx) },
		func(ctx context.Context) {
			f.Deployments = list[appsv1.Deployment](ctx, r, schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, ns, operatorLabel)
		},
		func(ctx context.Context) {
			f.Lease = get[coordinationv1.Lease](ctx, r, schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}, ns, leaseName)
		},
		func(ctx context.Context) {
			f.APIService = get[apiregistrationv1.APIService](ctx, r, schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}, "", certnames.APIService)
		},
		func(ctx context.Context) { f.Aggregated = r.served(ctx, "resolve.joberror.io/v1") },
		func(ctx context.Context) { f.AggregatedVersion = r.aggregatedVersion(ctx) },
		func(ctx context.Context) {
			f.Mutating = get[admissionregistrationv1.MutatingWebhookConfiguration](ctx, r, admission("mutatingwebhookconfigurations"), "", certnames.MutatingWebhook)
		},
		func(ctx context.Context) {
			f.Validating = get[admissionregistrationv1.ValidatingWebhookConfiguration](ctx, r, admission("validatingwebhookconfigurations"), "", certnames.ValidatingWebhook)
		},
		func(ctx context.Context) {
			f.Service = get[corev1.Service](ctx, r, corev1.SchemeGroupVersion.WithResource("services"), ns, certnames.Service)
		},
		func(ctx context.Context) {
			f.Endpoints = list[discoveryv1.EndpointSlice](ctx, r, discoveryv1.SchemeGroupVersion.WithResource("endpointslices"), ns, discoveryv1.LabelServiceName+"="+certnames.Service)
		},
		func(ctx context.Context) {
			f.Secret = get[corev1.Secret](ctx, r, corev1.SchemeGroupVersion.WithResource("secrets"), ns, certnames.Secret)
		},
		func(ctx context.Context) { f.Admission = r.served(ctx, "admissionregistration.k8s.io/v1") },
		func(ctx context.Context) { f.Policies = r.policies(ctx) },
		func(ctx context.Context) { f.Rights = r.rights(ctx, f.Namespace) },
	}
}

func admission(resource string) schema.GroupVersionResource {
	return admissionregistrationv1.SchemeGroupVersion.WithResource(resource)
}

// version returns the API server's version.
func (r *reader) version(ctx context.Context) Read[string] {
	data, err := r.typed.Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return Read[string]{Err: err}
	}
	var info struct {
		GitVersion string `json:"gitVersion"`
	}
	err = json.Unmarshal(data, &info)
	return Read[string]{Value: info.GitVersion, Err: err}
}

// served returns the resources of a group and version that the API server serves.
func (r *reader) served(ctx context.Context, groupVersion string) Read[[]string] {
	data, err := r.typed.Discovery().RESTClient().Get().AbsPath("/apis", groupVersion).SetHeader("Accept", runtime.ContentTypeJSON).DoRaw(ctx)
	if err != nil {
		return Read[[]string]{Err: err}
	}
	var resources metav1.APIResourceList
	if err := json.Unmarshal(data, &resources); err != nil {
		return Read[[]string]{Err: fmt.Errorf("decode the resources of %s: %w", groupVersion, err)}
	}
	var found []string
	for _, resource := range resources.APIResources {
		found = append(found, resource.Name)
	}
	return Read[[]string]{Value: found}
}

// aggregatedVersion returns the version in the OpenAPI document of the aggregated API.
func (r *reader) aggregatedVersion(ctx context.Context) Read[string] {
	data, err := r.typed.Discovery().RESTClient().Get().AbsPath("/openapi/v3/apis/resolve.joberror.io/v1").SetHeader("Accept", runtime.ContentTypeJSON).DoRaw(ctx)
	if err != nil {
		return Read[string]{Err: err}
	}
	var document struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
	}
	err = json.Unmarshal(data, &document)
	return Read[string]{Value: document.Info.Version, Err: err}
}

func (r *reader) crds(ctx context.Context) map[string]Read[*apiextensionsv1.CustomResourceDefinition] {
	found := map[string]Read[*apiextensionsv1.CustomResourceDefinition]{}
	for _, name := range crdNames {
		found[name] = get[apiextensionsv1.CustomResourceDefinition](ctx, r, apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions"), "", name)
	}
	return found
}

// policies returns the names of the policies and bindings.
func (r *reader) policies(ctx context.Context) map[string]Read[[]string] {
	found := map[string]Read[[]string]{}
	for _, resource := range []string{validatingPolicies, validatingBindings, mutatingPolicies, mutatingBindings} {
		all := list[metav1.PartialObjectMetadata](ctx, r, admission(resource), "", "")
		found[resource] = Read[[]string]{Value: names(all.Value), Err: all.Err}
	}
	return found
}

// trial creates a JobError as a dry run. The API server calls the policies and the webhook for
// it, as their sideEffects allow, and stores nothing.
func (r *reader) trial(ctx context.Context, f *Facts) Read[*joberrorv1.JobError] {
	if f.Served.Err != nil || !slices.Contains(f.Served.Value, "joberrors") {
		return Read[*joberrorv1.JobError]{Err: errNotTried}
	}
	je := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": joberrorv1.GroupVersion.String(), "kind": "JobError",
		"metadata": map[string]any{"generateName": "check-"},
		"spec":     map[string]any{"_jobId": "check"},
	}}
	created, err := r.dynamic.Resource(joberrorv1.GroupVersion.WithResource("joberrors")).Namespace(f.Namespace).
		Create(ctx, je, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return Read[*joberrorv1.JobError]{Err: err}
	}
	return convert[joberrorv1.JobError](created)
}

// rights asks the API server what the user may do.
func (r *reader) rights(ctx context.Context, namespace string) []Right {
	var all []Right
	for _, a := range actions {
		right := Right{Action: a.name, Role: a.role}
		for _, need := range a.needs {
			right.Needs = append(right.Needs, describe(need))
			need.Namespace = namespace
			review, err := r.typed.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &need},
			}, metav1.CreateOptions{})
			switch {
			case err != nil:
				right.Error = err.Error()
			case !review.Status.Allowed:
				right.Missing = append(right.Missing, describe(need))
			}
		}
		all = append(all, right)
	}
	return all
}

// get reads one object.
func get[T any](ctx context.Context, r *reader, resource schema.GroupVersionResource, namespace, name string) Read[*T] {
	obj, err := r.dynamic.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return Read[*T]{Err: err}
	}
	return convert[T](obj)
}

// list reads the objects with a label.
func list[T any](ctx context.Context, r *reader, resource schema.GroupVersionResource, namespace, selector string) Read[[]T] {
	found, err := r.dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return Read[[]T]{Err: err}
	}
	var all []T
	for i := range found.Items {
		converted := convert[T](&found.Items[i])
		if converted.Err != nil {
			return Read[[]T]{Err: converted.Err}
		}
		all = append(all, *converted.Value)
	}
	return Read[[]T]{Value: all}
}

func convert[T any](obj *unstructured.Unstructured) Read[*T] {
	value := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, value); err != nil {
		return Read[*T]{Err: fmt.Errorf("decode %s %s: %w", obj.GetKind(), obj.GetName(), err)}
	}
	return Read[*T]{Value: value}
}
