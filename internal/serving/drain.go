// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package serving holds the handlers that all servers of the operator share.
package serving

import (
	"context"
	"net/http"
	"time"
)

// Drain moves the callers of a server to another replica before the server stops. The
// API server sends all its requests over one connection and keeps it open: closing
// that connection fails any request that is already on its way.
type Drain struct{ started <-chan struct{} }

// NewDrain returns a Drain that starts when ctx ends, and a context that ends after
// the given period.
func NewDrain(ctx context.Context, period time.Duration) (Drain, context.Context) {
	stop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(period, cancel) })
	return Drain{started: ctx.Done()}, stop
}

// Handler wraps a handler. Once the drain has started, each answer also asks the
// caller to open a new connection, which leads to another replica.
func (d Drain) Handler(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-d.started:
			// Over HTTP/2, the library turns this into a GOAWAY frame.
			w.Header().Set("Connection", "close")
		default:
		}
		handler.ServeHTTP(w, r)
	})
}
