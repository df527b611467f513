// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/subtle"
	"net/http"
	"sync"
)

// secretParameter is the query parameter with the secret.
const secretParameter = "secret"

// session exchanges a secret, once, for a cookie.
type session struct {
	// cookieName has the port, because browsers send a cookie to all ports of a host.
	cookieName string
	secret     string
	cookie     string

	mu   sync.Mutex
	used bool
}

func newSession(port string) *session {
	return &session{cookieName: "joberrors-" + port, secret: randomText(), cookie: randomText()}
}

// isOpening reports whether a request is to open the page with a secret.
func isOpening(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.URL.Query().Has(secretParameter)
}

// hasCookie reports whether a request has the session's cookie.
func (s *session) hasCookie(r *http.Request) bool {
	cookie, err := r.Cookie(s.cookieName)
	return err == nil && equal(cookie.Value, s.cookie)
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

// exchange answers requests with a secret: it sets the cookie and redirects, so that the secret
// leaves the address bar. The guard for the cookie has let the others pass.
func (s *session) exchange(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOpening(r) {
			next.ServeHTTP(w, r)
			return
		}
		if !s.hasCookie(r) {
			if !s.redeem(r.URL.Query().Get(secretParameter)) {
				refuse(w, r, &refusal{http.StatusUnauthorized, "This link was already used, or is from another console."})
				return
			}
			http.SetCookie(w, &http.Cookie{
				Name: s.cookieName, Value: s.cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
			})
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
