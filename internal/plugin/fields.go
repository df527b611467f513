// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/printers"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/timeline"
)

// showError shows the fields of one error.
func showError(out io.Writer, je *joberrorv1.JobError, color func(string, string) string) {
	fmt.Fprintln(out, color(bold, "joberror/"+je.Name))
	state := "open"
	if je.Spec.Resolved {
		state = "resolved"
	}
	if c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved); c != nil && c.Reason != joberrorv1.ReasonOpen {
		state += " (" + strings.TrimSuffix(c.Reason+": "+c.Message, ": ") + ")"
	}
	for _, field := range []struct{ name, value string }{
		{"Job", jobName(je)}, {"Code", je.Spec.Code}, {"Class", je.Labels[joberrorv1.LabelClass]}, {"State", state}, {"Source", je.Spec.Source},
		{"Extract", je.Spec.Extract}, {"Extracted", je.Spec.Extracted}, {"Generate", je.Spec.Generate}, {"Generated", je.Spec.Generated}, {"User", je.Spec.UserID},
	} {
		if field.value == "" {
			continue
		}
		lines := timeline.LastWords(field.value)
		fmt.Fprintf(out, "  %-10s %s\n", field.name+":", printers.EscapeTerminal(strings.Join(lines, "\n"+strings.Repeat(" ", 13))))
	}
	fmt.Fprintln(out)
}
