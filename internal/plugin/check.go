// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
	"k8s.io/utils/clock"
	"sigs.k8s.io/yaml"

	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/plugin/checks"
	"joberror.io/operator/internal/serverclock"
)

const checkLong = `Find out whether the operator works in this cluster, and why not.

Each check has a result: ok, warning, failed, or unknown if you may not look. To see
whether the webhook answers, the command creates a JobError in the namespace as a dry run,
which stores nothing. The rights at the end are yours, in the namespace.

The exit code is 0 if no check failed, 1 if one failed, and 2 for wrong flags.`

const checkExample = `  # Check the installation, and your rights in namespace batch
  kubectl joberrors check -n batch

  # The checks that failed, for a script
  kubectl joberrors check -o json | jq '.results[] | select(.status == "failed")'`

// newCheck returns the subcommand check.
func newCheck(o *options) *cobra.Command {
	var operatorNamespace, output string
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Find out whether the operator works, and why not",
		Long:    checkLong,
		Example: checkExample,
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := checkWriters[output]
			if !ok {
				return usageError{fmt.Errorf("--output: must be json or yaml, not %q", output)}
			}
			config, namespace, err := o.connection()
			if err != nil {
				return err
			}
			// The clock of this machine may be wrong, so the server's decides what has expired.
			serverClock := serverclock.New(clock.RealClock{})
			config.Wrap(serverClock.Wrap)
			facts, err := checks.Gather(cmd.Context(), config, namespace, operatorNamespace)
			if err != nil {
				return err
			}
			facts.PluginVersion, facts.Hint = version.Version, o.hint
			report := checks.Decide(facts, time.Now().Add(-serverClock.Ahead()))
			if err := write(o.Out, report); err != nil {
				return fmt.Errorf("write the report: %w", err)
			}
			return failure(report)
		},
	}
	cmd.Flags().StringVar(&operatorNamespace, "operator-namespace", attribution.OperatorNamespace, "The namespace that the operator is installed in.")
	cmd.Flags().StringVarP(&output, "output", "o", "", "Output format: json or yaml. Without it, a table.")
	completeFlag(cmd, "output", "json", "yaml")
	return cmd
}

// failure returns an error that counts the failed checks, if there are any.
func failure(report *checks.Report) error {
	switch n := report.Count(checks.Failed); n {
	case 0:
		return nil
	case 1:
		return errors.New("1 check failed")
	default:
		return fmt.Errorf("%d checks failed", n)
	}
}

// checkWriters holds the function for each output format.
var checkWriters = map[string]func(io.Writer, *checks.Report) error{
	"":     writeCheckTable,
	"json": writeCheckJSON,
	"yaml": writeCheckYAML,
}

func writeCheckJSON(out io.Writer, report *checks.Report) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

func writeCheckYAML(out io.Writer, report *checks.Report) error {
	data, err := yaml.Marshal(report)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}

// writeCheckTable writes the results and the rights as two tables.
func writeCheckTable(out io.Writer, report *checks.Report) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CHECK\tRESULT\tMESSAGE")
	for _, result := range report.Results {
		fmt.Fprintf(table, "%s\t%s\t%s\n", result.Check, result.Status, result.Message)
	}
	// The columns of the two tables are independent.
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nYour rights in namespace %s:\n\n", report.Namespace)
	fmt.Fprintln(table, "ACTION\tALLOWED\tMISSING")
	for _, right := range report.Rights {
		allowed := "yes"
		switch {
		case right.Error != "":
			allowed = "unknown"
		case len(right.Missing) > 0:
			allowed = "no"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", right.Action, allowed, cmp.Or(strings.Join(right.Missing, ", "), right.Error))
	}
	return table.Flush()
}
