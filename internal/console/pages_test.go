// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestServesEachFile(t *testing.T) {
	t.Parallel()
	c := listen(t, &rest.Config{Host: newAPIServer(t).URL})
	err := fs.WalkDir(files, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		response, body := c.do(t, "GET", strings.TrimPrefix(name, "static"), "")
		if want := contentTypes[path.Ext(name)]; response.StatusCode != 200 || response.Header.Get("Content-Type") != want || body == "" {
			t.Errorf("%s = %d %q, want 200 %q", name, response.StatusCode, response.Header.Get("Content-Type"), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The policy forbids scripts and styles in the page, and everything from elsewhere.
func TestPageKeepsItsPolicy(t *testing.T) {
	t.Parallel()
	page, err := files.ReadFile("static/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{`<script>`, `<style`, ` style=`, ` on\w+=`, `https?://`, `//`} {
		if found := regexp.MustCompile(forbidden).Find(page); found != nil {
			t.Errorf("index.html has %s", found)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c := listen(t, &rest.Config{Host: "https://api.example", BearerToken: "token"})
	_, body := c.do(t, "GET", "/settings.json", "")
	var got settings
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if want := (settings{Context: "test", Namespace: "default", Server: "https://api.example"}); got != want {
		t.Errorf("settings = %+v, want %+v", got, want)
	}
	if strings.Contains(body, "token") {
		t.Errorf("the settings have credentials: %s", body)
	}
}
