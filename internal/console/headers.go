// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import "net/http"

// securityHeaders holds the headers of every answer.
var securityHeaders = map[string]string{
	// Only files of the console run, and they reach only the console.
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	// A message or a log is never run as a script or shown as a page.
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy":        "no-referrer",
	// Nothing of the cluster stays on the disk.
	"Cache-Control":                "no-store",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
}

func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range securityHeaders {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}
