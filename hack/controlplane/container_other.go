//go:build !linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"os/exec"
)

// contain needs Linux.
func contain(*exec.Cmd, string, int) error { return errors.New("containers need Linux") }
