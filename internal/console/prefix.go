// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"net/http"
	"strings"
)

// outside is the key of the mark of requests without the prefix.
type outside struct{}

// isOutside reports whether a request's path does not begin with the prefix.
func isOutside(r *http.Request) bool { return r.Context().Value(outside{}) != nil }

// withoutPrefix takes the prefix from the paths of requests. It marks those that do not have it,
// for the guards.
func (s *session) withoutPrefix(next http.Handler) http.Handler {
	inside := http.StripPrefix(strings.TrimSuffix(s.base(), "/"), next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, hasRest := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
		if hasRest && equal(first, s.prefix) {
			inside.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, markOutside(r))
	})
}

func markOutside(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), outside{}, true))
}
