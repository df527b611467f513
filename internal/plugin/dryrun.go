// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
)

// dryRun is the value of --dry-run.
type dryRun string

func (d *dryRun) addFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar((*string)(d), "dry-run", "none", `Must be "none" or "server". With "server", the server checks everything, and stores nothing.`)
	completeFlag(cmd, "dry-run", "none", "server")
}

func (d *dryRun) validate() error {
	if *d != "none" && *d != "server" {
		return usageError{fmt.Errorf("--dry-run: %q must be none or server", string(*d))}
	}
	return nil
}

func (d *dryRun) server() bool { return *d == "server" }

// suffix returns what kubectl adds to its messages in a dry run.
func (d *dryRun) suffix() string {
	if d.server() {
		return " (server dry run)"
	}
	return ""
}
