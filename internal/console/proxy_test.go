// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestForwardsAsTheUserOfTheKubeconfig(t *testing.T) {
	t.Parallel()
	api := newAPIServer(t)
	c := listen(t, &rest.Config{Host: api.URL + "/k8s/clusters/one", BearerToken: "of-the-kubeconfig"})
	response, body := c.do(t, "PUT", resolvePath, `{"reason":"fixed"}`,
		header("Authorization", "Bearer of-the-browser"), header("Impersonate-User", "admin"), header("Impersonate-Group", "system:masters"),
		header("X-Remote-User", "admin"), header("X-Forwarded-For", "10.0.0.1"), header("Accept", "application/json"))
	if response.StatusCode != http.StatusOK || body != `{"kind":"JobErrorList"}` {
		t.Fatalf("answer = %d %s", response.StatusCode, body)
	}
	if got, want := api.last.URL.Path, "/k8s/clusters/one"+resolvePath; got != want {
		t.Errorf("path = %s, want %s", got, want)
	}
	if api.body != `{"reason":"fixed"}` {
		t.Errorf("body = %s", api.body)
	}
	if got := api.last.Header.Get("Authorization"); got != "Bearer of-the-kubeconfig" {
		t.Errorf("Authorization = %q, want the kubeconfig's", got)
	}
	for name := range api.last.Header {
		switch name {
		case "Authorization", "Accept", "Content-Type", "Content-Length", "Accept-Encoding", "User-Agent":
		default:
			t.Errorf("the API server received the header %s", name)
		}
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin"} {
		if response.Header.Get(name) != "" {
			t.Errorf("the browser received the header %s of the API server", name)
		}
	}
}

func TestHonorsTheImpersonationOfTheCommandLine(t *testing.T) {
	t.Parallel()
	api := newAPIServer(t)
	c := listen(t, &rest.Config{Host: api.URL, Impersonate: rest.ImpersonationConfig{UserName: "alice"}})
	c.do(t, "GET", listPath, "", header("Impersonate-User", "admin"))
	if got := api.last.Header.Values("Impersonate-User"); len(got) != 1 || got[0] != "alice" {
		t.Errorf("Impersonate-User = %v, want alice", got)
	}
}

func TestRefusesLargeBodies(t *testing.T) {
	t.Parallel()
	c := listen(t, &rest.Config{Host: newAPIServer(t).URL})
	for size, want := range map[int]int{maxBody: 200, maxBody + 1: 413} {
		if response, body := c.do(t, "PUT", resolvePath, strings.Repeat(" ", size)); response.StatusCode != want {
			t.Errorf("body of %d bytes: %d, want %d: %s", size, response.StatusCode, want, body)
		}
	}
	if response, _ := c.do(t, "GET", listPath, "", header("Accept", strings.Repeat("a", maxHeader+8<<10))); response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("large header: %d, want 431", response.StatusCode)
	}
}

func TestSaysThatTheAPIServerIsDown(t *testing.T) {
	t.Parallel()
	api := newAPIServer(t)
	c := listen(t, &rest.Config{Host: api.URL})
	api.Close()
	response, body := c.do(t, "GET", listPath, "")
	if response.StatusCode != http.StatusBadGateway || !strings.Contains(body, string(reasonUnreachable)) {
		t.Errorf("answer = %d %s, want 502 %s", response.StatusCode, body, reasonUnreachable)
	}
}

func TestFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.RedirectHandler("https://evil.example/", http.StatusFound))
	t.Cleanup(api.Close)
	c := listen(t, &rest.Config{Host: api.URL})
	if response, body := c.do(t, "GET", listPath, ""); response.StatusCode != http.StatusBadGateway || response.Header.Get("Location") != "" {
		t.Errorf("answer = %d %v %s, want 502", response.StatusCode, response.Header, body)
	}
}
