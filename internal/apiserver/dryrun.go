// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"net/http"
)

type dryRunKey struct{}

// withDryRun moves the dryRun parameter from the URL into the context. The library does not
// support dry runs of connect requests.
func withDryRun(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if values, ok := query["dryRun"]; ok {
			r = r.Clone(context.WithValue(r.Context(), dryRunKey{}, values))
			query.Del("dryRun")
			r.URL.RawQuery = query.Encode()
		}
		handler.ServeHTTP(w, r)
	})
}

// dryRunOf returns the values of the request's dryRun parameter.
func dryRunOf(ctx context.Context) []string {
	values, _ := ctx.Value(dryRunKey{}).([]string)
	return values
}
