// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package patience bounds how long a server waits for a request that comes
// slowly. The limits of the libraries' servers end with the header.
package patience

import (
	"net/http"
	"time"
)

// Body gives the caller that long to send a request's body, from its header on.
// What comes later is not read: the handler gets an error in its place.
func Body(handler http.Handler, d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// All servers know deadlines; a recorder in a test does not.
			if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(d)); err != nil {
				http.Error(w, "the server can't bound how long it waits: "+err.Error(), http.StatusInternalServerError)
				return
			}
		}
		handler.ServeHTTP(w, r)
	})
}
