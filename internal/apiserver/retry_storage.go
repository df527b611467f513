// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"

	joberrorv1 "joberror.io/operator/api/v1"
)

// retryStorage serves the subresource jobs/retry. It is a Connecter, because a dry run answers
// with another kind.
type retryStorage struct {
	backend *backend
}

var (
	_ rest.Connecter                = &retryStorage{}
	_ rest.StorageMetadata          = &retryStorage{}
	_ rest.GroupVersionKindProvider = &retryStorage{}
)

func (s *retryStorage) New() runtime.Object { return &joberrorv1.JobErrorRetry{} }

func (s *retryStorage) Destroy() {}

// GroupVersionKind returns the kind of a retry, which is not in the group of this API.
func (s *retryStorage) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return joberrorv1.GroupVersion.WithKind("JobErrorRetry")
}

func (s *retryStorage) ProducesMIMETypes(string) []string {
	return []string{runtime.ContentTypeJSON}
}

func (s *retryStorage) ProducesObject(string) any { return joberrorv1.JobErrorRetry{} }

func (s *retryStorage) ConnectMethods() []string { return []string{http.MethodPost} }

func (s *retryStorage) NewConnectOptions() (runtime.Object, bool, string) { return nil, false, "" }

// Connect returns the handler of POST jobs/{_id}/retry.
func (s *retryStorage) Connect(ctx context.Context, id string, _ runtime.Object, responder rest.Responder) (http.Handler, error) {
	endpoint := jobEndpoint{backend: s.backend, namespace: request.NamespaceValue(ctx), id: id, responder: responder}
	retry := retryEndpoint{jobEndpoint: endpoint, rights: []authorizer.AttributesRecord{mayCreateJobs}}
	return retry.serve(http.StatusCreated), nil
}
