// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

// refusal is the reason that a request is not answered.
type refusal struct {
	code    int
	message string
}

// guard is a rule that a request must meet. check returns nil if it does.
type guard struct {
	name  string
	check func(*Console, *http.Request) *refusal
}

// guards holds the rules for all requests, in the order in which they are checked.
var guards = []guard{
	// A site whose name resolves to 127.0.0.1 has another Host (DNS rebinding).
	{"host", checkHost},
	// Pages of other sites, and of other ports of this machine, say where they come from.
	{"origin", checkOrigin},
	{"fetch-site", checkFetchSite},
	// A form of another site can't send JSON.
	{"content-type", checkContentType},
	// A tunnel would escape all other rules.
	{"upgrade", checkUpgrade},
	// Other servers on this machine neither get the cookie nor know where to send it.
	{"prefix", checkPrefix},
	// Paths that are not listed do not exist.
	{"path", checkPath},
	// A patch can do no more than resolve or reopen an error.
	{"patch", checkPatch},
	// Other programs and users of this machine do not have the cookie.
	{"cookie", checkCookie},
}

// guard refuses requests that do not meet a rule, and limits the others.
func (c *Console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A watch outlasts the time in which other requests must have been read.
		limit := http.NewResponseController(w)
		if err := limit.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
			refuse(w, r, &refusal{http.StatusInternalServerError, "The time to read the request can't be limited."})
			return
		}
		for _, g := range guards {
			if refused := g.check(c, r); refused != nil {
				refuse(w, r, refused)
				return
			}
		}
		if isWatch(r) {
			if err := limit.SetReadDeadline(time.Time{}); err != nil {
				refuse(w, r, &refusal{http.StatusInternalServerError, "The watch can't be given more time."})
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func checkHost(c *Console, r *http.Request) *refusal {
	switch withoutPort80(r.Host) {
	case withoutPort80("127.0.0.1:" + c.port), withoutPort80("localhost:" + c.port):
		return nil
	}
	return &refusal{http.StatusMisdirectedRequest, "The console answers only on 127.0.0.1 and localhost."}
}

// withoutPort80 removes the port from an address if it is 80, as browsers do.
func withoutPort80(address string) string { return strings.TrimSuffix(address, ":80") }

func checkOrigin(_ *Console, r *http.Request) *refusal {
	switch origin := r.Header.Get("Origin"); {
	case len(r.Header.Values("Origin")) > 1:
		return &refusal{http.StatusForbidden, "The request has more than one Origin."}
	case origin == "" && !isWrite(r):
		return nil
	case withoutPort80(origin) != "http://"+withoutPort80(r.Host):
		return &refusal{http.StatusForbidden, "The request comes from another site."}
	}
	return nil
}

// checkFetchSite refuses what browsers send for other sites. Browsers send none if a user typed
// the address; that may open the page only. Programs other than browsers do not send the header.
func checkFetchSite(_ *Console, r *http.Request) *refusal {
	site := r.Header.Get("Sec-Fetch-Site")
	isPage := r.Method == http.MethodGet && r.URL.Path == "/"
	if len(r.Header.Values("Sec-Fetch-Site")) > 1 {
		site = "cross-site"
	}
	switch {
	case site == "" || site == "same-origin", site == "none" && isPage, isOpening(r):
		return nil
	}
	return &refusal{http.StatusForbidden, "The request comes from another site."}
}

func checkContentType(_ *Console, r *http.Request) *refusal {
	if !isWrite(r) {
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	want := "application/json"
	if r.Method == http.MethodPatch {
		want = "application/merge-patch+json"
	}
	if err != nil || mediaType != want {
		return &refusal{http.StatusUnsupportedMediaType, "The content type must be " + want + "."}
	}
	return nil
}

func checkUpgrade(_ *Console, r *http.Request) *refusal {
	if r.Method == http.MethodConnect || r.Header.Get("Upgrade") != "" {
		return &refusal{http.StatusBadRequest, "The console does not upgrade connections."}
	}
	return nil
}

func checkPrefix(_ *Console, r *http.Request) *refusal {
	if isOutside(r) && !isOpening(r) {
		return &refusal{http.StatusUnauthorized, "The address is not that of an open console."}
	}
	return nil
}

func checkCookie(c *Console, r *http.Request) *refusal {
	if isOpening(r) || c.session.hasCookie(r) {
		return nil
	}
	return &refusal{http.StatusUnauthorized, "This browser has no session with this console."}
}

// isWrite reports whether a request may change something.
func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}

// isWatch reports whether a request is a watch, which may last.
func isWatch(r *http.Request) bool { return r.URL.Query().Has("watch") }
