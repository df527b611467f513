// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var files embed.FS

// contentTypes holds the types of the files. A file of another type is not served. Go's own table
// depends on the machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// settings is what the page is told about the kubeconfig.
type settings struct {
	Context   string `json:"context"`
	Namespace string `json:"namespace"`
	Server    string `json:"server"`
	Version   string `json:"version"`
}

// newPages returns a handler that serves the embedded files and the settings.
func newPages(config Config) (http.Handler, error) {
	data, err := json.Marshal(settings{Context: config.Context, Namespace: config.Namespace, Server: config.REST.Host, Version: config.Version})
	if err != nil {
		return nil, fmt.Errorf("encode the settings of the page: %w", err)
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, fmt.Errorf("read the files of the page: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/settings.json" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(data) // the browser is gone if this fails
			return
		}
		serveFile(w, r, static)
	}), nil
}

// serveFile answers with an embedded file.
func serveFile(w http.ResponseWriter, r *http.Request, static fs.FS) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	contentType := contentTypes[path.Ext(name)]
	content, err := fs.ReadFile(static, name)
	if err != nil || contentType == "" {
		refuse(w, r, &refusal{http.StatusNotFound, "The console has no such file."})
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = bytes.NewReader(content).WriteTo(w) // the browser is gone if this fails
}
