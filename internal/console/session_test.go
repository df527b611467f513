// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestSecretOpensOnce(t *testing.T) {
	t.Parallel()
	c := listen(t, &rest.Config{Host: newAPIServer(t).URL})
	link := strings.TrimPrefix(c.URL(), "http://127.0.0.1:"+c.port)

	// What is not a visit to the page does not use the secret up.
	for _, r := range []struct {
		method, path string
		want         int
	}{
		{"HEAD", link, 401}, {"POST", link, 401}, {"GET", "/?secret=", 401}, {"GET", "/?secret=x", 401},
		{"GET", strings.Replace(link, "/?", "/index.html?", 1), 401}, {"GET", c.session.base() + link[1:], 401},
	} {
		if response, body := c.do(t, r.method, r.path, "", whole(r.path), noCookie); response.StatusCode != r.want {
			t.Errorf("%s %s = %d, want %d: %s", r.method, r.path, response.StatusCode, r.want, body)
		}
	}

	response, _ := c.do(t, "GET", link, "", whole(link), noCookie, header("Sec-Fetch-Site", "none"))
	if location := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || location != c.session.base() {
		t.Fatalf("first visit = %d to %q, want 303 to %s", response.StatusCode, location, c.session.base())
	}
	cookies := response.cookies
	if len(cookies) != 1 {
		t.Fatalf("cookies = %v, want one", cookies)
	}
	cookie := cookies[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != c.session.base() || cookie.Domain != "" || cookie.MaxAge != 0 || !cookie.Expires.IsZero() {
		t.Errorf("cookie = %v, want HttpOnly, SameSite=Strict, for the paths of this console, until the browser ends", cookie)
	}
	if cookie.Value == c.session.secret || len(cookie.Value) < 40 {
		t.Errorf("cookie = %q, want another long random text", cookie.Value)
	}

	response, body := c.do(t, "GET", link, "", whole(link), noCookie, header("Accept", "text/html"))
	if response.StatusCode != http.StatusUnauthorized || len(response.cookies) != 0 || !strings.Contains(body, "already used") {
		t.Errorf("second visit = %d %v, want 401: %s", response.StatusCode, response.cookies, body)
	}
	if strings.Contains(c.URL()+body, c.session.prefix) {
		t.Errorf("the link or the refusal has the prefix: %s %s", c.URL(), body)
	}
}

// whole replaces the path with the prefix by another one, with its query.
func whole(path string) option {
	return func(r *http.Request) { r.URL.Opaque, r.URL.RawQuery, _ = strings.Cut(path, "?") }
}

func TestTwoConsolesShareNothing(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: newAPIServer(t).URL}
	a, b := listen(t, config), listen(t, config)
	if a.session.prefix == b.session.prefix || a.session.cookie == b.session.cookie || a.session.secret == b.session.secret {
		t.Errorf("sessions are equal: %+v %+v", a.session, b.session)
	}
}
