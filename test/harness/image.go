// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"joberror.io/operator/hack/controlplane"
)

// ImageVersion is the version of an operator that BuildFor built.
const ImageVersion = "v1.2.3-image"

// buildImage builds the image's binary, and checks whether this machine can isolate it as a
// container runtime would.
func (c *Cluster) buildImage(ctx context.Context) error {
	if err := c.BuildFor(ctx, runtime.GOARCH, c.binary); err != nil {
		return err
	}
	if err := controlplane.CheckIsolation(c.binary, "--version"); err != nil {
		fmt.Fprintln(os.Stderr, "harness: this machine cannot isolate the pods, so they run as plain processes:", err)
		return nil
	}
	c.Isolated = true
	return nil
}

// BuildFor builds the image's binary for an architecture, with the command in the
// Dockerfile.
func (c *Cluster) BuildFor(ctx context.Context, arch, output string) error {
	dockerfile, err := os.ReadFile(filepath.Join(c.Root, "Dockerfile"))
	if err != nil {
		return err
	}
	const prefix, target = "RUN CGO_ENABLED=0 ", " -o /operator "
	var commands []string
	for line := range strings.Lines(string(dockerfile)) {
		if strings.HasPrefix(line, prefix) && strings.Contains(line, target) {
			commands = append(commands, strings.TrimPrefix(line, "RUN "))
		}
	}
	if len(commands) != 1 {
		return fmt.Errorf("the Dockerfile has %d commands that build /operator, want 1", len(commands))
	}
	build := exec.CommandContext(ctx, "sh", "-ec", strings.Replace(commands[0], target, " -o '"+output+"' ", 1))
	build.Dir = c.Root
	build.Env = append(os.Environ(), "TARGETOS="+runtime.GOOS, "TARGETARCH="+arch, "VERSION="+ImageVersion)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the operator with the Dockerfile's command: %w\n%s", err, out)
	}
	return nil
}
