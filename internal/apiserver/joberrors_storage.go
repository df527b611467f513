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
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// jobErrorStorage is the subresource jobs/joberrors. Its deeper paths are the
// source's, which no other verb of the library could serve.
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

// GroupVersionKind makes the library answer with the group of the entry's own.
func (s *jobErrorStorage) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return joberrorv1.GroupVersion.WithKind("JobErrorResolution")
}

func (s *jobErrorStorage) ProducesMIMETypes(string) []string {
	return []string{runtime.ContentTypeJSON}
}

func (s *jobErrorStorage) ProducesObject(verb string) any {
	switch verb {
	case http.MethodGet:
		return resolvev1.Record{}
	case http.MethodPost:
		return resolvev1.ReportedRecord{}
	}
	return joberrorv1.JobErrorResolution{}
}

func (s *jobErrorStorage) ConnectMethods() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPut}
}

func (s *jobErrorStorage) NewConnectOptions() (runtime.Object, bool, string) { return nil, true, "" }

// Connect picks the endpoint by what follows jobs/{_id}/joberrors in the path.
func (s *jobErrorStorage) Connect(ctx context.Context, id string, _ runtime.Object, responder rest.Responder) (http.Handler, error) {
	info, ok := request.RequestInfoFrom(ctx)
	if !ok || len(info.Parts) < 3 {
		return nil, apierrors.NewBadRequest("the request has no path of this API")
	}
	rest := info.Parts[3:]
	action := ""
	if len(rest) > 0 {
		action = rest[len(rest)-1]
	}
	switch {
	case len(rest) == 0:
		return only(responder, map[string]http.HandlerFunc{
			http.MethodGet:  s.backend.list(info.Namespace, id, responder),
			http.MethodPost: s.backend.report(info.Namespace, id, responder),
		}), nil
	case len(rest) > 2 || (action != "resolve" && action != "unresolve"):
		return nil, notFound(id, "the paths under joberrors are resolve, unresolve, {name}/resolve and {name}/unresolve")
	case len(rest) == 2:
		return only(responder, map[string]http.HandlerFunc{
			http.MethodPut: s.backend.resolveOne(info.Namespace, id, rest[0], action == "resolve", responder),
		}), nil
	default:
		return only(responder, map[string]http.HandlerFunc{
			http.MethodPut: s.backend.resolveMany(info.Namespace, id, action == "resolve", responder),
		}), nil
	}
}

// only refuses any other methods than the path's.
func only(responder rest.Responder, handlers map[string]http.HandlerFunc) http.Handler {
	methods := strings.Join(slices.Sorted(maps.Keys(handlers)), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, ok := handlers[r.Method]
		if !ok {
			w.Header().Set("Allow", methods)
			responder.Error(&apierrors.StatusError{ErrStatus: metav1.Status{
				Status: metav1.StatusFailure, Code: http.StatusMethodNotAllowed, Reason: metav1.StatusReasonMethodNotAllowed,
				Message: "this path answers " + methods + " only",
			}})
			return
		}
		handler(w, r)
	})
}
