// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate makes a command run as an unprivileged user with a directory as its
// root. Without root rights, that takes a user namespace that maps this user to
// that one.
func isolate(cmd *exec.Cmd, root string, user int) error {
	attr := &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	if os.Geteuid() != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getegid(), Size: 1}}
		attr.Credential.NoSetGroups = true
	}
	cmd.SysProcAttr = attr
	return nil
}
