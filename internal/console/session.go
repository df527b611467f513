// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"sync"
)

// secretParameter is the query parameter with the secret.
const secretParameter = "secret"

// cookieName is the name of the session's cookie.
const cookieName = "joberrors"

// session exchanges a secret, once, for a cookie.
type session struct {
	secret string
	cookie string
	// prefix is the first segment of the paths of the console. Browsers send a cookie to all ports
	// of a host, but only to the cookie's path, and no other server knows this one. It is not in
	// the link, which other users of the machine may see in the list of processes.
	prefix string

	mu   sync.Mutex
	used bool
}

func newSession() *session {
	return &session{secret: randomText(), cookie: randomText(), prefix: randomText()}
}

// base returns the path of the page.
func (s *session) base() string { return "/" + s.prefix + "/" }

// isOpening reports whether a request is to open the page with a secret.
func isOpening(r *http.Request) bool {
	return isOutside(r) && r.Method == http.MethodGet && r.URL.Path == "/" && r.URL.Query().Has(secretParameter)
}

// hasCookie reports whether a request has the session's cookie. Another server on this machine may
// have set more cookies of this name.
func (s *session) hasCookie(r *http.Request) bool {
	return slices.ContainsFunc(r.CookiesNamed(cookieName), func(cookie *http.Cookie) bool { return equal(cookie.Value, s.cookie) })
}

// redeem reports whether a secret is the right one and is used for the first time.
func (s *session) redeem(secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used || !equal(secret, s.secret) {
		return false
	}
	s.used = true
	return true
}

// exchange answers requests with a secret: it sets the cookie and redirects to the page, so that
// the secret leaves the address bar. All other requests have already passed the cookie guard.
func (s *session) exchange(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOpening(r) {
			next.ServeHTTP(w, r)
			return
		}
		if !s.redeem(r.URL.Query().Get(secretParameter)) {
			refuse(w, r, &refusal{http.StatusUnauthorized, "This link was already used, or is from another console. If you used it yourself, the console is in that tab."})
			return
		}
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: s.cookie, Path: s.base(), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
		http.Redirect(w, r, s.base(), http.StatusSeeOther)
	})
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
