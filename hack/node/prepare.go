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

// sysctls lists the settings that a kubelet changes for the whole machine.
var sysctls = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// prepare sets up new namespaces for a node, so that what the node writes outside
// its own directory stays in them.
func prepare(dir string) error {
	// Keep later mounts invisible outside.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// A kubelet needs mounts that pods can share.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("make mounts shared: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// /run holds the sockets of shims and the network namespaces of pods.
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	// No option moves the kubelet's and CNI's files out of these directories.
	for _, target := range []string{"/var/lib", "/var/log"} {
		if err := mountOverlay(target, filepath.Join(dir, "shadow", filepath.Base(target))); err != nil {
			return fmt.Errorf("mount overlay on %s: %w", target, err)
		}
	}
	for _, name := range sysctls {
		if err := hideSysctl(filepath.Join(dir, "sysctls", name), filepath.Join("/proc/sys", name)); err != nil {
			return err
		}
	}
	return ip(
		"link set lo up",
		// The bridge connects the node and its pods. It also has the API server's
		// address, so that pods reach the API server without kube-proxy. Its MAC
		// address is fixed: by default, a bridge takes the lowest one of its pods, which
		// changes when a pod starts or ends and cuts off the others until they notice.
		"link add "+bridge+" address "+bridgeAddress+" type bridge",
		"addr add "+Address+"/24 dev "+bridge,
		"addr add "+clusterIP+"/32 dev "+bridge,
		"link set "+bridge+" up",
	)
}

// mountOverlay keeps a directory readable and redirects its writes to another one.
func mountOverlay(target, writes string) error {
	upper, work := filepath.Join(writes, "upper"), filepath.Join(writes, "work")
	for _, dir := range []string{upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return syscall.Mount("overlay", target, "overlay", 0, "lowerdir="+target+",upperdir="+upper+",workdir="+work)
}

// hideSysctl mounts a plain file with the same content over a sysctl.
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
		return fmt.Errorf("hide sysctl %s: %w", sysctl, err)
	}
	return nil
}

// ip runs iproute2 commands.
func ip(commands ...string) error {
	for _, command := range commands {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", command, err, out)
		}
	}
	return nil
}
