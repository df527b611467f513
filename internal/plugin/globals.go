// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"joberror.io/operator/internal/plugin/progress"
)

// warnings writes each warning of the API server once, and counts those that it wrote.
type warnings interface {
	rest.WarningHandler
	WarningCount() int
}

// addGlobalFlags adds those of kubectl's global flags that mean something for a plugin.
func (o *options) addGlobalFlags(flags *pflag.FlagSet) {
	flags.AddFlagSet(o.connectionFlags)
	flags.BoolVar(&o.warningsAsErrors, "warnings-as-errors", false, "Treat warnings received from the server as errors and exit with a non-zero exit code")
	verbosity := pflag.PFlagFromGoFlag(o.logs.Lookup("v"))
	verbosity.Shorthand = "v"
	flags.AddFlag(verbosity)
	flags.AddGoFlag(o.logs.Lookup("vmodule"))
}

// setLogs sends the logs of the libraries to standard error if -v or --vmodule asks for them. Without
// these, the plugin itself reports what fails.
func (o *options) setLogs() error {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	if v := o.logs.Lookup("v").Value.String(); v != "0" || o.logs.Lookup("vmodule").Value.String() != "" {
		// klog writes an error to the output of each lower severity, too.
		klog.SetOutputBySeverity("INFO", o.ErrOut)
	}
	// Otherwise errors go to the standard error of the process, too.
	return o.logs.Set("stderrthreshold", "FATAL")
}

// checkWarnings returns an error if there were warnings that --warnings-as-errors makes an error.
func (o *options) checkWarnings() error {
	if !o.warningsAsErrors || o.warnings == nil || o.warnings.WarningCount() == 0 {
		return nil
	}
	return fmt.Errorf("%s received", progress.Count(int64(o.warnings.WarningCount()), "warning"))
}
