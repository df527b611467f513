// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestCommandsOfTheOperatorsAlertsRun(t *testing.T) {
	ns := cluster.Namespace(t)
	for _, alert := range harness.Alerts(t, "alerts") {
		command := strings.ReplaceAll(alert.Annotations["command"], "{{ $labels.namespace }}", ns)
		// The replicas run as processes, so kubectl can't read their logs. It finds their pods.
		logs, readsLogs := strings.CutPrefix(command, "kubectl logs ")
		if readsLogs {
			pods, _, _ := strings.Cut(logs, " --since")
			command = "kubectl get pods --output=name " + pods
		}
		out := typeCommand(t, command)
		t.Logf("%s: $ %s\n%s", alert.Name, command, out)
		if replicas := len(strings.Fields(out)); readsLogs && replicas != 2 {
			t.Errorf("%s finds %d replicas, want 2", alert.Name, replicas)
		}
	}
}
