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

// ImageVersion is the version that an operator built for an image bears.
const ImageVersion = "v1.2.3-image"

// buildImage builds what the image would hold, with the very command of the
// Dockerfile, and looks whether it can run as it would there.
func (c *Cluster) buildImage(ctx context.Context) error {
	if err := c.BuildFor(ctx, runtime.GOARCH, c.binary); err != nil {
		return err
	}
	if err := controlplane.CheckIsolation(c.binary, "--version"); err != nil {
		fmt.Fprintln(os.Stderr, "harness: no container can be made here, the pods run as plain processes:", err)
		return nil
	}
	c.Isolated = true
	return nil
}

// BuildFor builds what the image for an architecture would hold.
func (c *Cluster) BuildFor(ctx context.Context, arch, output string) error {
	dockerfile, err := os.ReadFile(filepath.Join(c.Root, "Dockerfile"))
	if err != nil {
		return err
	}
	const run, target = "RUN CGO_ENABLED=0 ", " -o /operator "
	var commands []string
	for line := range strings.Lines(string(dockerfile)) {
		if strings.HasPrefix(line, run) && strings.Contains(line, target) {
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
		return fmt.Errorf("building as the Dockerfile does: %w\n%s", err, out)
	}
	return nil
}
