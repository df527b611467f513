// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command sbom prints a Go binary's bill of materials as an SPDX document: the modules
// that the linker recorded in the binary. Its arguments are the binary and its version.
package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// notInID matches the characters that an SPDX identifier cannot contain.
var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(binary, version string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	info.Main.Version = version
	return spdxjson.Write(describe(info), os.Stdout, spdxjson.Indent("  "))
}

// describe lists the main module, the standard library, and all linked modules.
func describe(info *debug.BuildInfo) *spdx.Document {
	root := module(&info.Main)
	// Vulnerability databases use the name stdlib for Go's own packages.
	std := module(&debug.Module{Path: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")})
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      info.Path,
		DocumentNamespace: "https://" + info.Path + "/sbom/" + info.Main.Version,
		CreationInfo: &spdx.CreationInfo{
			Created:  time.Now().UTC().Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "joberror-sbom"}},
		},
		Packages:      []*spdx.Package{root, std},
		Relationships: []*spdx.Relationship{relation("DOCUMENT", "DESCRIBES", root), relation(root.PackageSPDXIdentifier, "DEPENDS_ON", std)},
	}
	for _, dependency := range info.Deps {
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		p := module(dependency)
		document.Packages = append(document.Packages, p)
		document.Relationships = append(document.Relationships, relation(root.PackageSPDXIdentifier, "DEPENDS_ON", p))
	}
	return document
}

func module(m *debug.Module) *spdx.Package {
	return &spdx.Package{
		PackageName:             m.Path,
		PackageSPDXIdentifier:   common.ElementID(notInID.ReplaceAllString(m.Path+"-"+m.Version, "-")),
		PackageVersion:          m.Version,
		PackageDownloadLocation: "NOASSERTION",
		PackageExternalReferences: []*spdx.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL,
			Locator: "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B"),
		}},
	}
}

func relation(from common.ElementID, kind string, to *spdx.Package) *spdx.Relationship {
	return &spdx.Relationship{RefA: common.MakeDocElementID("", string(from)), Relationship: kind, RefB: common.MakeDocElementID("", string(to.PackageSPDXIdentifier))}
}
