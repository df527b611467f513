// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command plugin builds kubectl-joberrors for a release: an archive for each platform, their
// checksums and, for a given URL, a manifest for krew. "make plugin" starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// platforms holds the platforms of a release, as OS/ARCH.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	version := flag.String("version", "", "version to build into the program")
	out := flag.String("out", "dist/plugin", "directory for the archives")
	url := flag.String("url", "", "URL of the directory that the archives will be downloaded from; without it, no krew manifest is written")
	homepage := flag.String("homepage", "", "homepage in the krew manifest")
	only := flag.String("platforms", strings.Join(platforms, ","), "platforms, as OS/ARCH")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *version, *out, *url, *homepage, strings.Split(*only, ","))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "make plugin:", err)
		os.Exit(1)
	}
}

// run builds the plugin for these platforms.
func run(ctx context.Context, version, out, url, homepage string, platforms []string) error {
	if url != "" {
		// Before the builds, which take minutes.
		if err := checkVersion(version); err != nil {
			return err
		}
	}
	license, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var archives []archive
	for _, platform := range platforms {
		goos, goarch, ok := strings.Cut(platform, "/")
		if !ok {
			return fmt.Errorf("-platforms: %q is not OS/ARCH", platform)
		}
		fmt.Printf("==> building the plugin for %s\n", platform)
		program, err := build(ctx, version, goos, goarch)
		if err != nil {
			return fmt.Errorf("build for %s: %w", platform, err)
		}
		a, err := newArchive(version, goos, goarch, program, license)
		if err != nil {
			return fmt.Errorf("pack for %s: %w", platform, err)
		}
		if err := os.WriteFile(filepath.Join(out, a.name), a.data, 0o644); err != nil {
			return err
		}
		archives = append(archives, a)
	}
	if err := os.WriteFile(filepath.Join(out, "SHA256SUMS"), checksums(archives), 0o644); err != nil {
		return err
	}
	if url == "" {
		return nil
	}
	manifest, err := krewManifest(version, url, homepage, archives)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "joberrors.yaml"), manifest, 0o644)
}

// build returns the program for a platform. Its bytes depend only on the sources, the version
// and the version of Go.
func build(ctx context.Context, version, goos, goarch string) (program []byte, err error) {
	dir, err := os.MkdirTemp("", "kubectl-joberrors-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X github.com/prometheus/common/version.Version="+version, "-o", path, "./cmd/kubectl-joberrors")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, output)
	}
	return os.ReadFile(path)
}
