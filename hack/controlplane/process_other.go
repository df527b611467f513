//go:build !linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import "syscall"

func killWithParent(*syscall.SysProcAttr) {}
