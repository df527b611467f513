// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// oneSecret is a manager whose configuration reads a single Secret. cert-controller creates
// a cache of its own that would list all Secrets of the namespace. RBAC grants a list or a
// watch of one object only to a request that selects its name.
type oneSecret struct {
	ctrl.Manager
	name string
}

// GetConfig returns the manager's configuration with a field selector for the Secret.
func (m oneSecret) GetConfig() *rest.Config {
	config := rest.CopyConfig(m.Manager.GetConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return selectSecret{next: next, name: m.name} })
	return config
}

// selectSecret adds a field selector to each read of Secrets.
type selectSecret struct {
	next http.RoundTripper
	name string
}

// RoundTrip sends the request with the selector.
func (s selectSecret) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/secrets") {
		r = r.Clone(r.Context())
		query := r.URL.Query()
		query.Set("fieldSelector", fields.OneTermEqualSelector("metadata.name", s.name).String())
		r.URL.RawQuery = query.Encode()
	}
	return s.next.RoundTrip(r)
}
