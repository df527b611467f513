// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package leaving lets a server part from its callers before it ends. The API
// server sends all its requests over one connection, and keeps it: one that is
// closed while the next request is under way to it takes that request along.
package leaving

import (
	"context"
	"net/http"
	"time"
)

// Notice tells the callers of a server that it is about to end.
type Notice struct{ given <-chan struct{} }

// Give returns a notice that is given when the context ends, and a context that
// ends as much later.
func Give(ctx context.Context, before time.Duration) (Notice, context.Context) {
	later, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(before, end) })
	return Notice{given: ctx.Done()}, later
}

// Handler answers as before. Once notice is given it also asks the caller to use
// another connection from then on, which will lead to another replica.
func (n Notice) Handler(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-n.given:
			// Over HTTP/2 the library makes a GOAWAY of it.
			w.Header().Set("Connection", "close")
		default:
		}
		handler.ServeHTTP(w, r)
	})
}
