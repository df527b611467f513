// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import "syscall"

// killWithParent leaves no orphan behind where the parent is killed itself.
func killWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
