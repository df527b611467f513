// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"fmt"
	"runtime"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
)

func newVersion(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the version of the plugin",
		Args:              usage(cobra.NoArgs),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(o.Out, "kubectl joberrors %s (%s, %s/%s)\n", cmp.Or(version.Version, "development"), version.GetRevision(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
