// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// jobErrorStorage serves the subresource jobs/joberrors. It is a Connecter, because only
// connect requests may have the deeper paths of the source's API.
type jobErrorStorage struct {
	backend *backend
}

var (
	_ rest.Connecter                = &jobErrorStorage{}
	_ rest.StorageMetadata          = &jobErrorStorage{}
	_ rest.GroupVersionKindProvider = &jobErrorStorage{}
)

func (s *jobErrorStorage) New() runtime.Object { return &joberrorv1.JobErrorResolution{} }

func (s *jobErrorStorage) Destroy() {}

// GroupVersionKind returns the kind of a resolution, which is not in the group of this API.
func (s *jobErrorStorage) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return joberrorv1.GroupVersion.WithKind("JobErrorResolution")
}

func (s *jobErrorStorage) ProducesMIMETypes(string) []string {
	return []string{runtime.ContentTypeJSON}
}

func (s *jobErrorStorage) ProducesObject(verb string) any {
	switch verb {
	case http.MethodGet:
		return resolvev1.ArchivedRecord{}
	case http.MethodPost:
		return resolvev1.ReportedRecord{}
	}
	return joberrorv1.JobErrorResolution{}
}

func (s *jobErrorStorage) ConnectMethods() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPut}
}

func (s *jobErrorStorage) NewConnectOptions() (runtime.Object, bool, string) { return nil, true, "" }

// Connect returns the handler for the part of the path after jobs/{_id}/joberrors.
func (s *jobErrorStorage) Connect(ctx context.Context, id string, _ runtime.Object, responder rest.Responder) (http.Handler, error) {
	info, ok := request.RequestInfoFrom(ctx)
	if !ok || len(info.Parts) < 3 {
		return nil, apierrors.NewBadRequest("the path is not part of this API")
	}
	segments := info.Parts[3:]
	action := ""
	if len(segments) > 0 {
		action = segments[len(segments)-1]
	}
	endpoint := jobEndpoint{backend: s.backend, namespace: info.Namespace, id: id, responder: responder}
	resolve := resolveEndpoint{jobEndpoint: endpoint, resolved: action == "resolve"}
	retry := retryEndpoint{jobEndpoint: endpoint, rights: []authorizer.AttributesRecord{mayRetry, mayCreateJobs}}
	switch {
	case len(segments) == 0:
		return byMethod(responder, map[string]http.HandlerFunc{http.MethodGet: endpoint.serveList, http.MethodPost: endpoint.serveReport}), nil
	case len(segments) == 1 && action == "retry":
		return byMethod(responder, map[string]http.HandlerFunc{http.MethodPut: retry.serve(http.StatusOK)}), nil
	case len(segments) > 2 || (action != "resolve" && action != "unresolve"):
		return nil, notFound(id, "the paths under joberrors are resolve, unresolve, retry, {name}/resolve and {name}/unresolve")
	case len(segments) == 2:
		return byMethod(responder, map[string]http.HandlerFunc{http.MethodPut: resolve.serveOne(segments[0])}), nil
	default:
		return byMethod(responder, map[string]http.HandlerFunc{http.MethodPut: resolve.serveMany}), nil
	}
}

// byMethod returns a handler that calls the one for the request's method, and rejects other
// methods.
func byMethod(responder rest.Responder, handlers map[string]http.HandlerFunc) http.Handler {
	methods := strings.Join(slices.Sorted(maps.Keys(handlers)), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, ok := handlers[r.Method]
		if !ok {
			w.Header().Set("Allow", methods)
			responder.Error(&apierrors.StatusError{ErrStatus: metav1.Status{
				Status: metav1.StatusFailure, Code: http.StatusMethodNotAllowed, Reason: metav1.StatusReasonMethodNotAllowed,
				Message: "this path supports only " + methods,
			}})
			return
		}
		handler(w, r)
	})
}
