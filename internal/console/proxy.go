// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// reasonUnreachable is the reason of the Status that says that the API server does not answer.
const reasonUnreachable metav1.StatusReason = "APIServerUnreachable"

// Only these headers are forwarded. This keeps credentials, impersonation headers and the console's
// cookie from the API server, and the API server's cookies from the browser.
var (
	requestHeaders  = []string{"Accept", "Content-Type"}
	responseHeaders = []string{"Content-Type", "Retry-After", "Warning",
		resolvev1.HeaderContinue, resolvev1.HeaderArchiveThrough, resolvev1.HeaderArchiveSkipped}
)

// newProxy returns a handler that forwards requests to the API server of a configuration, as its
// user.
func newProxy(config *rest.Config) (http.Handler, error) {
	target, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("read the address of the API server: %w", err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to the API server: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header = pick(r.In.Header, requestHeaders)
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusSwitchingProtocols || r.StatusCode >= 300 && r.StatusCode < 400 {
				return fmt.Errorf("unexpected answer %s", r.Status)
			}
			r.Header = pick(r.Header, responseHeaders)
			r.Trailer = nil
			return nil
		},
		ErrorHandler: answerError,
		// A watch sends each event at once.
		FlushInterval: -1,
		// The page shows what goes wrong.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timeout := requestTimeout
		if isWatch(r) {
			timeout = watchTimeout
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		proxy.ServeHTTP(w, r.WithContext(ctx))
	}), nil
}

func answerError(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set(refusedBy, "unreachable")
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		writeStatus(w, http.StatusRequestEntityTooLarge, metav1.StatusReasonRequestEntityTooLarge,
			fmt.Sprintf("The body must not have more than %d bytes.", tooLarge.Limit))
		return
	}
	writeStatus(w, http.StatusBadGateway, reasonUnreachable, fmt.Sprintf("The API server can't be reached: %v", err))
}

// pick returns a copy of the named headers.
func pick(header http.Header, names []string) http.Header {
	picked := http.Header{}
	for _, name := range names {
		if values := header.Values(name); len(values) > 0 {
			picked[name] = values
		}
	}
	return picked
}
