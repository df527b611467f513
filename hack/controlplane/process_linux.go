// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import "syscall"

// killWithParent makes the kernel kill the process when its parent is killed.
func killWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
