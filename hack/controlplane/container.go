// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// serviceAccountDir is where the kubelet mounts a pod's token.
const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// containerCommand returns the command of a container. Its root directory holds
// only the binary, the manifest's mounts and the token. It runs as the manifest's
// user, who can write only to the volumes.
func (p *pod) containerCommand(root string, user int, args []string) (*exec.Cmd, error) {
	cmd, err := isolatedCommand(root, user, args)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(p.pods.plane.api)
	cmd.Env = []string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port}
	return cmd, err
}

// isolatedCommand returns the operator's command, to run unprivileged in a root
// directory.
func isolatedCommand(root string, user int, args []string) (*exec.Cmd, error) {
	cmd := exec.Command("/operator", args...)
	cmd.Dir = "/"
	return cmd, isolate(cmd, root, user)
}

// fillRoot creates the content of a container's root directory. It makes the
// directories read-only last, so that the user cannot add files to them.
func (p *pod) fillRoot(ctx context.Context, obj *corev1.Pod, root string, user int) error {
	token, err := p.pods.newToken(ctx, obj)
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(p.pods.plane.path("pki", "ca.crt"))
	if err != nil {
		return err
	}
	secrets := filepath.Join(root, serviceAccountDir)
	errs := []error{
		copyProgram(p.pods.binary, root),
		os.MkdirAll(secrets, 0o755),
		os.WriteFile(filepath.Join(secrets, "token"), []byte(token), 0o444),
		os.WriteFile(filepath.Join(secrets, "ca.crt"), ca, 0o444),
		os.WriteFile(filepath.Join(secrets, "namespace"), []byte(obj.Namespace), 0o444),
	}
	var volumes []string
	for _, mount := range p.spec.VolumeMounts {
		// The token is already in its mount.
		if mount.MountPath != serviceAccountDir {
			volume := filepath.Join(root, mount.MountPath)
			volumes = append(volumes, volume)
			errs = append(errs, os.MkdirAll(volume, 0o700), chown(volume, user))
		}
	}
	errs = append(errs, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && !slices.Contains(volumes, path) {
			err = os.Chmod(path, 0o555)
		}
		return err
	}))
	return errors.Join(errs...)
}

// copyProgram copies a program to /operator in a root directory.
func copyProgram(program, root string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "operator"), data, 0o555)
}

// chown gives a directory to the user. It does nothing unless this process is
// root.
func chown(path string, user int) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, user, user)
}

// CheckIsolation returns an error if this machine does not allow isolated
// containers. It tries with a program that exits on its own.
func CheckIsolation(program string, args ...string) (err error) {
	root, err := os.MkdirTemp("", "joberror-root-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	if err := errors.Join(copyProgram(program, root), os.Chmod(root, 0o755)); err != nil {
		return err
	}
	cmd, err := isolatedCommand(root, 65532, args)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
