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
		{"HEAD", link, 401}, {"POST", link, 405}, {"GET", "/?secret=", 401}, {"GET", "/?secret=x", 401},
		{"GET", strings.Replace(link, "/?", "/index.html?", 1), 401},
	} {
		if response, body := c.do(t, r.method, r.path, "", noCookie); response.StatusCode != r.want {
			t.Errorf("%s %s = %d, want %d: %s", r.method, r.path, response.StatusCode, r.want, body)
		}
	}

	response, _ := c.do(t, "GET", link, "", noCookie, header("Sec-Fetch-Site", "none"))
	if location := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || location != "/" {
		t.Fatalf("first visit = %d to %q, want 303 to /", response.StatusCode, location)
	}
	cookies := response.cookies
	if len(cookies) != 1 {
		t.Fatalf("cookies = %v, want one", cookies)
	}
	cookie := cookies[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 0 || !cookie.Expires.IsZero() {
		t.Errorf("cookie = %v, want HttpOnly, SameSite=Strict, for this host, until the browser ends", cookie)
	}
	if cookie.Value == c.session.secret || len(cookie.Value) < 40 {
		t.Errorf("cookie = %q, want another long random text", cookie.Value)
	}

	response, body := c.do(t, "GET", link, "", noCookie, header("Accept", "text/html"))
	if response.StatusCode != http.StatusUnauthorized || len(response.cookies) != 0 || !strings.Contains(body, "already used") {
		t.Errorf("second visit = %d %v, want 401: %s", response.StatusCode, response.cookies, body)
	}
	// Reload in the browser that has the session.
	if response, _ = c.do(t, "GET", link, ""); response.StatusCode != http.StatusSeeOther {
		t.Errorf("second visit with the cookie = %d, want 303", response.StatusCode)
	}
}

func TestTwoConsolesShareNothing(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: newAPIServer(t).URL}
	a, b := listen(t, config), listen(t, config)
	if a.session.cookieName == b.session.cookieName || a.session.cookie == b.session.cookie || a.session.secret == b.session.secret {
		t.Errorf("sessions are equal: %+v %+v", a.session, b.session)
	}
}
