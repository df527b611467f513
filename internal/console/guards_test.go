// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

const (
	listPath    = "/apis/joberror.io/v1/joberrors"
	errorPath   = "/apis/joberror.io/v1/namespaces/a/joberrors/b"
	resolvePath = "/apis/resolve.joberror.io/v1/namespaces/a/jobs/b/joberrors/resolve"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	api := newAPIServer(t)
	c := listen(t, &rest.Config{Host: api.URL})
	other := "http://127.0.0.1:1"
	for _, tc := range []struct {
		guard        string
		name         string
		method, path string
		options      []option
		want         int
	}{
		{"host", "127.0.0.1", "GET", listPath, nil, 200},
		{"host", "localhost", "GET", listPath, []option{host("localhost:" + c.port)}, 200},
		{"host", "a rebound name", "GET", listPath, []option{host("evil.example:" + c.port)}, 421},
		{"host", "another port", "GET", listPath, []option{host("127.0.0.1:1")}, 421},
		{"host", "no port", "GET", listPath, []option{host("127.0.0.1")}, 421},
		{"host", "a suffix", "GET", listPath, []option{host("localhost:" + c.port + ".evil.example")}, 421},
		{"host", "also for the page", "GET", "/", []option{host("evil.example")}, 421},

		{"origin", "a read without one", "GET", listPath, nil, 200},
		{"origin", "a read of another site", "GET", listPath, []option{header("Origin", "https://evil.example")}, 403},
		{"origin", "a read of another port", "GET", listPath, []option{header("Origin", other)}, 403},
		{"origin", "a sandboxed page", "GET", listPath, []option{header("Origin", "null")}, 403},
		{"origin", "a write of the page", "PUT", resolvePath, nil, 200},
		{"origin", "a write without one", "PUT", resolvePath, []option{func(r *http.Request) { r.Header.Del("Origin") }}, 403},
		{"origin", "a write of another port", "PUT", resolvePath, []option{header("Origin", other)}, 403},
		{"origin", "the other name of this machine", "PUT", resolvePath, []option{header("Origin", "http://localhost:"+c.port)}, 403},
		{"origin", "https", "PUT", resolvePath, []option{header("Origin", "https://127.0.0.1:"+c.port)}, 403},
		{"origin", "two", "GET", listPath, []option{header("Origin", "http://127.0.0.1:"+c.port), func(r *http.Request) { r.Header.Add("Origin", other) }}, 403},

		{"fetch-site", "the page", "GET", listPath, []option{header("Sec-Fetch-Site", "same-origin")}, 200},
		{"fetch-site", "another site", "GET", listPath, []option{header("Sec-Fetch-Site", "cross-site")}, 403},
		{"fetch-site", "another port", "GET", listPath, []option{header("Sec-Fetch-Site", "same-site")}, 403},
		{"fetch-site", "typed", "GET", listPath, []option{header("Sec-Fetch-Site", "none")}, 403},
		{"fetch-site", "the page, typed", "GET", "/", []option{header("Sec-Fetch-Site", "none")}, 200},
		{"fetch-site", "the page, linked", "GET", "/", []option{header("Sec-Fetch-Site", "cross-site")}, 403},
		{"fetch-site", "a file as a script of another site", "GET", "/app.mjs", []option{header("Sec-Fetch-Site", "cross-site")}, 403},

		{"content-type", "with a charset", "PUT", resolvePath, []option{header("Content-Type", "application/json; charset=utf-8")}, 200},
		{"content-type", "a form", "PUT", resolvePath, []option{header("Content-Type", "application/x-www-form-urlencoded")}, 415},
		{"content-type", "text", "PUT", resolvePath, []option{header("Content-Type", "text/plain")}, 415},
		{"content-type", "none", "PUT", resolvePath, []option{header("Content-Type", "")}, 415},
		{"content-type", "JSON in text", "PUT", resolvePath, []option{header("Content-Type", "text/plain; application/json")}, 415},

		{"upgrade", "WebSocket", "GET", listPath, []option{header("Connection", "Upgrade"), header("Upgrade", "websocket")}, 400},
		{"upgrade", "SPDY", "GET", listPath, []option{header("Upgrade", "SPDY/3.1")}, 400},

		{"cookie", "none", "GET", listPath, []option{noCookie}, 401},
		{"cookie", "none, for a file", "GET", "/app.mjs", []option{noCookie}, 401},
		{"cookie", "none, for the page", "GET", "/", []option{noCookie}, 401},
		{"cookie", "none, for the settings", "GET", "/settings.json", []option{noCookie}, 401},
		{"cookie", "another value", "GET", listPath, []option{header("Cookie", cookieName+"="+randomText())}, 401},
		{"cookie", "another name", "GET", listPath, []option{header("Cookie", "joberrors-1="+c.session.cookie)}, 401},
		{"cookie", "after one that another server has set", "GET", listPath, []option{header("Cookie", cookieName+"=x; "+cookieName+"="+c.session.cookie)}, 200},
		{"cookie", "the secret", "GET", listPath, []option{header("Cookie", cookieName+"="+c.session.secret)}, 401},
		{"cookie", "the secret in another path", "GET", listPath + "?secret=" + c.session.secret, []option{noCookie}, 403},

		{"prefix", "none", "GET", listPath, []option{at(listPath)}, 401},
		{"prefix", "none, for the page", "GET", "/", []option{at("/")}, 401},
		{"prefix", "none, for a file", "GET", "/app.mjs", []option{at("/app.mjs")}, 401},
		{"prefix", "none, for a write", "PUT", resolvePath, []option{at(resolvePath)}, 401},
		{"prefix", "without a slash", "GET", "/", []option{at("/" + c.session.prefix)}, 401},
		{"prefix", "only its beginning", "GET", "/", []option{at("/" + c.session.prefix[:42] + "/")}, 401},
		{"prefix", "longer", "GET", "/", []option{at("/" + c.session.prefix + "x/")}, 401},
		{"prefix", "the secret", "GET", "/", []option{at("/" + c.session.secret + "/")}, 401},
		{"prefix", "twice", "GET", "/", []option{at(c.session.base() + c.session.prefix + "/")}, 404},

		{"patch", "resolve", "PATCH", errorPath, []option{body(patches[0])}, 200},
		{"patch", "reopen", "PATCH", errorPath, []option{body(patches[1])}, 200},
		{"patch", "another field", "PATCH", errorPath, []option{body(`{"spec":{"resolved":true,"message":""}}`)}, 403},
		{"patch", "labels", "PATCH", errorPath, []option{body(`{"metadata":{"labels":null}}`)}, 403},
		{"patch", "a second value", "PATCH", errorPath, []option{body(patches[0] + `{"spec":{}}`)}, 403},
		{"patch", "more than is read at once", "PATCH", errorPath, []option{body(patches[0] + strings.Repeat(" ", 100))}, 403},
		{"patch", "nothing", "PATCH", errorPath, nil, 403},
		{"patch", "of JSON", "PATCH", errorPath, []option{body(patches[0]), header("Content-Type", "application/json-patch+json")}, 415},
		{"patch", "in a write of the page", "PUT", resolvePath, []option{header("Content-Type", "application/merge-patch+json")}, 415},
	} {
		t.Run(tc.guard+"/"+tc.name, func(t *testing.T) {
			if response, body := c.do(t, tc.method, tc.path, "", tc.options...); response.StatusCode != tc.want {
				t.Errorf("%s %s = %d, want %d: %s", tc.method, tc.path, response.StatusCode, tc.want, body)
			}
		})
	}
}

// Browsers leave out the port 80 in Host and Origin.
func TestPort80(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		port, host, origin string
		want               string
	}{
		{"80", "127.0.0.1", "http://127.0.0.1", ""},
		{"80", "localhost", "http://localhost", ""},
		{"80", "127.0.0.1:80", "http://127.0.0.1:80", ""},
		{"80", "127.0.0.1", "http://127.0.0.1:80", ""},
		{"80", "127.0.0.1:8080", "http://127.0.0.1:8080", "host"},
		{"80", "evil.example", "http://evil.example", "host"},
		{"80", "127.0.0.1", "http://localhost", "origin"},
		{"80", "127.0.0.1", "http://127.0.0.1:8080", "origin"},
		{"80", "127.0.0.1", "https://127.0.0.1", "origin"},
		{"8080", "127.0.0.1", "http://127.0.0.1", "host"},
		{"8080", "127.0.0.1:80", "http://127.0.0.1:80", "host"},
		{"8080", "127.0.0.1:8080", "http://127.0.0.1", "origin"},
	} {
		c := &Console{port: tc.port}
		r := &http.Request{Method: "PUT", Host: tc.host, Header: http.Header{"Origin": {tc.origin}}}
		got := ""
		switch {
		case checkHost(c, r) != nil:
			got = "host"
		case checkOrigin(c, r) != nil:
			got = "origin"
		}
		if got != tc.want {
			t.Errorf("port %s: Host %s with Origin %s is refused by %q, want %q", tc.port, tc.host, tc.origin, got, tc.want)
		}
	}
}

// A guard without a test is a guard that nobody would miss.
func TestEachGuardIsNeeded(t *testing.T) {
	t.Parallel()
	c := &Console{port: "80", session: newSession()}
	for name, options := range map[string][]option{
		"host":         {host("evil.example")},
		"origin":       {header("Origin", "http://evil.example")},
		"fetch-site":   {header("Sec-Fetch-Site", "cross-site")},
		"content-type": {func(r *http.Request) { r.Method = "PUT"; r.Header.Set("Origin", "http://localhost:80") }, to(resolvePath)},
		"upgrade":      {header("Upgrade", "websocket")},
		"prefix":       {func(r *http.Request) { *r = *markOutside(r) }},
		"path":         {to("/api/v1/secrets")},
		"patch": {func(r *http.Request) { r.Method = "PATCH"; r.Header.Set("Origin", "http://localhost:80") }, to(errorPath),
			header("Content-Type", "application/merge-patch+json"), body(`{"spec":{"message":""}}`)},
		"cookie": {noCookie},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost:80"+listPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: cookieName, Value: c.session.cookie})
		for _, o := range options {
			o(r)
		}
		var refusing []string
		for _, g := range guards {
			if g.check(c, r) != nil {
				refusing = append(refusing, g.name)
			}
		}
		if strings.Join(refusing, " ") != name {
			t.Errorf("the request for %s is refused by %v, want only that guard", name, refusing)
		}
	}
}

func to(p string) option { return func(r *http.Request) { r.URL.Path = p } }

func TestHeaders(t *testing.T) {
	t.Parallel()
	api := newAPIServer(t)
	c := listen(t, &rest.Config{Host: api.URL})
	for _, path := range []string{"/", "/app.mjs", "/missing", listPath, "/api/v1/secrets", "/?secret=wrong"} {
		response, _ := c.do(t, "GET", path, "")
		for name, want := range securityHeaders {
			if got := response.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got, want)
			}
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: Content-Security-Policy = %q", path, policy)
		}
	}
}
