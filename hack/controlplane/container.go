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

// serviceAccount is where the kubelet mounts a pod's token.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// container makes the command of a container: in a root folder that holds the
// binary, what the manifest mounts and the token, and nothing else; as the user
// of the manifest, for whom none of it but the volumes can be written.
func (p *pod) container(root string, user int, args []string) (*exec.Cmd, error) {
	cmd, err := contained(root, user, args)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(p.pods.plane.api)
	cmd.Env = []string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port}
	return cmd, err
}

// contained makes the command of the operator in a root folder, without rights.
func contained(root string, user int, args []string) (*exec.Cmd, error) {
	cmd := exec.Command("/operator", args...)
	cmd.Dir = "/"
	return cmd, contain(cmd, root, user)
}

// fill makes what is in a container's root, the folders last: whoever can't
// write them adds nothing to it.
func (p *pod) fill(ctx context.Context, obj *corev1.Pod, root string, user int) error {
	token, err := p.pods.token(ctx, obj)
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(p.pods.plane.path("pki", "ca.crt"))
	if err != nil {
		return err
	}
	secrets := filepath.Join(root, serviceAccount)
	errs := []error{
		copyProgram(p.pods.binary, root),
		os.MkdirAll(secrets, 0o755),
		os.WriteFile(filepath.Join(secrets, "token"), []byte(token), 0o444),
		os.WriteFile(filepath.Join(secrets, "ca.crt"), ca, 0o444),
		os.WriteFile(filepath.Join(secrets, "namespace"), []byte(obj.Namespace), 0o444),
	}
	var volumes []string
	for _, mount := range p.spec.VolumeMounts {
		// The token's is one of them.
		if mount.MountPath != serviceAccount {
			volume := filepath.Join(root, mount.MountPath)
			volumes = append(volumes, volume)
			errs = append(errs, os.MkdirAll(volume, 0o700), own(volume, user))
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

// copyProgram copies a program into a root folder, as /operator.
func copyProgram(program, root string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "operator"), data, 0o555)
}

// own gives a folder to the user, where this process may.
func own(path string, user int) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, user, user)
}

// Containable tells why this machine lets no container be made, with a program
// that ends by itself; nil where it does.
func Containable(program string, args ...string) error {
	root, err := os.MkdirTemp("", "joberror-root-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := errors.Join(copyProgram(program, root), os.Chmod(root, 0o755)); err != nil {
		return err
	}
	cmd, err := contained(root, 65532, args)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
