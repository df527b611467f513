//go:build !linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"os/exec"
)

// isolate returns an error: only Linux supports it.
func isolate(*exec.Cmd, string, int) error { return errors.New("isolated containers need Linux") }
