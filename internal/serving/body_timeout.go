// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"net/http"
	"time"
)

// BodyTimeout limits how long a caller may take to send a request's body, counted from
// the header. After the timeout, the handler's read of the body fails. The libraries'
// servers have a timeout for the header only.
func BodyTimeout(handler http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// All servers support deadlines; a test's response recorder does not.
			if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout)); err != nil {
				http.Error(w, "the server can't set a timeout for the request's body: "+err.Error(), http.StatusInternalServerError)
				return
			}
		}
		handler.ServeHTTP(w, r)
	})
}
