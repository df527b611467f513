//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// sysctls are the settings that a kubelet changes for the whole machine.
var sysctls = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// prepare makes new namespaces a machine for a node: what the node writes outside
// of its own folder stays in them.
func prepare(dir string) error {
	// Nothing that is mounted from here on shows up outside.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	// A kubelet wants mounts that pods can share.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("making mounts shared: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	// Sockets of shims and network namespaces of pods.
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mounting /run: %w", err)
	}
	// Folders of the kubelet and of CNI that no option moves.
	for _, folder := range []string{"/var/lib", "/var/log"} {
		if err := shadow(folder, filepath.Join(dir, "shadow", filepath.Base(folder))); err != nil {
			return fmt.Errorf("mounting %s: %w", folder, err)
		}
	}
	for _, name := range sysctls {
		if err := hideSysctl(filepath.Join(dir, "sysctls", name), filepath.Join("/proc/sys", name)); err != nil {
			return err
		}
	}
	return ip(
		"link set lo up",
		// The node and its pods. With the API server's address on it, too, pods
		// reach that without a kube-proxy.
		"link add "+bridge+" type bridge",
		"addr add "+Address+"/24 dev "+bridge,
		"addr add "+clusterIP+"/32 dev "+bridge,
		"link set "+bridge+" up",
	)
}

// shadow lets a folder be read as it is, and written elsewhere.
func shadow(folder, to string) error {
	upper, work := filepath.Join(to, "upper"), filepath.Join(to, "work")
	for _, made := range []string{upper, work} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			return err
		}
	}
	return syscall.Mount("overlay", folder, "overlay", 0, "lowerdir="+folder+",upperdir="+upper+",workdir="+work)
}

// hideSysctl puts a plain file with the same content over a sysctl.
func hideSysctl(file, sysctl string) error {
	value, err := os.ReadFile(sysctl)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, value, 0o644); err != nil {
		return err
	}
	if err := syscall.Mount(file, sysctl, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("hiding %s: %w", sysctl, err)
	}
	return nil
}

// ip runs commands of iproute2.
func ip(commands ...string) error {
	for _, command := range commands {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", command, err, out)
		}
	}
	return nil
}
