// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/util/version"
)

//go:embed krew.yaml.tmpl
var krewTemplate string

// platform is a platform in the manifest.
type platform struct{ OS, Arch, URI, SHA256, Bin string }

// checkVersion returns an error if krew refuses a version.
func checkVersion(v string) error {
	if _, err := version.ParseSemantic(v); err != nil || !strings.HasPrefix(v, "v") {
		return fmt.Errorf("VERSION: krew needs a semantic version such as v1.2.3, not %q", v)
	}
	return nil
}

// krewManifest returns the manifest of the plugin for krew. The archives will be below the URL.
func krewManifest(v, url, homepage string, archives []archive) ([]byte, error) {
	if err := checkVersion(v); err != nil {
		return nil, err
	}
	t, err := template.New("krew").Parse(krewTemplate)
	if err != nil {
		return nil, err
	}
	values := struct {
		Version, Homepage string
		Platforms         []platform
	}{Version: v, Homepage: homepage}
	for _, a := range archives {
		values.Platforms = append(values.Platforms, platform{a.goos, a.goarch, strings.TrimSuffix(url, "/") + "/" + a.name, a.sha256(), a.bin})
	}
	var out bytes.Buffer
	err = t.Execute(&out, values)
	return out.Bytes(), err
}
