// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"flag"
	"fmt"
	"io"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"joberror.io/operator/internal/plugin/progress"
)

// warnings writes the warnings of the API server, each once, and counts all of them.
type warnings interface {
	rest.WarningHandler
	WarningCount() int
}

// addGlobalFlags adds those of kubectl's global flags that mean something for a plugin.
func (o *options) addGlobalFlags(flags *pflag.FlagSet) {
	flags.AddFlagSet(o.connectionFlags)
	flags.BoolVar(&o.warningsAsErrors, "warnings-as-errors", false, "Treat warnings received from the server as errors and exit with a non-zero exit code")
	logs := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(logs)
	verbosity := pflag.PFlagFromGoFlag(logs.Lookup("v"))
	verbosity.Shorthand = "v"
	flags.AddFlag(verbosity)
	flags.AddGoFlag(logs.Lookup("vmodule"))
}

// setLogs sends the logs of the libraries to standard error if -v asks for them. Without it, the
// plugin itself reports what fails.
func (o *options) setLogs() {
	klog.LogToStderr(false)
	if klog.V(1).Enabled() {
		klog.SetOutput(o.ErrOut)
		return
	}
	klog.SetOutput(io.Discard)
}

// checkWarnings returns an error if there were warnings that --warnings-as-errors makes an error.
func (o *options) checkWarnings() error {
	if !o.warningsAsErrors || o.warnings == nil || o.warnings.WarningCount() == 0 {
		return nil
	}
	return fmt.Errorf("%s received", progress.Count(int64(o.warnings.WarningCount()), "warning"))
}
