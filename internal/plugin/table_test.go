// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"joberror.io/operator/internal/plugin/group"
	"joberror.io/operator/internal/plugin/workload"
)

func TestTableLeavesRoomForTheMessage(t *testing.T) {
	t.Parallel()
	now := time.Now()
	groups := group.By([]group.Dimension{group.Workload, group.Code}, []group.Item{{
		Name: "e", Job: workload.Job{Namespace: "warehouse", Name: "payment-reconciliation-1"}, Code: "PreemptionByScheduler", Class: "infrastructure",
		Workload: workload.Workload{Kind: "cronjob", Name: "payment-reconciliation"}, Occurrences: 1696,
		First: now.Add(-158 * time.Hour), Last: now.Add(-158 * time.Hour), Message: "the scheduler made room for another pod",
	}})
	for name, tc := range map[string]struct {
		width         int
		allNamespaces bool
		format        string
		header        string
		message       string
		hidden        bool
	}{
		"piped":          {header: "WORKLOAD CODE CLASS ERRORS OCCURRENCES FIRST SEEN LAST SEEN MESSAGE", message: "the scheduler made room for another pod"},
		"a wide screen":  {width: 200, allNamespaces: true, header: "NAMESPACE WORKLOAD CODE CLASS ERRORS OCCURRENCES FIRST SEEN LAST SEEN MESSAGE", message: "the scheduler made room for another pod"},
		"short names":    {width: 130, header: "WORKLOAD CODE CLASS ERRORS TIMES FIRST LAST MESSAGE", message: "the scheduler made room f"},
		"all namespaces": {width: 120, allNamespaces: true, header: "NAMESPACE WORKLOAD CODE CLASS ERRORS LAST MESSAGE", message: "the scheduler made r", hidden: true},
		"narrow":         {width: 100, allNamespaces: true, header: "NAMESPACE WORKLOAD CODE ERRORS LAST MESSAGE", message: "the scheduler mad", hidden: true},
		"-o wide": {width: 100, format: "wide",
			header:  "WORKLOAD CODE CLASS JOB ERRORS OCCURRENCES RESOLVED FIRST SEEN LAST SEEN NEWEST ERROR MESSAGE",
			message: "the scheduler made room for another pod"},
	} {
		streams, _, _, _ := genericiooptions.NewTestIOStreams()
		l := &listOptions{options: optionsFor(streams), selection: selection{allNamespaces: tc.allNamespaces}, open: true}
		text, hidden, err := l.render([]group.Dimension{group.Workload, group.Code}, groups, tc.width, tc.format == "wide")
		header, row, _ := strings.Cut(text, "\n")
		if err != nil || strings.Join(strings.Fields(header), " ") != tc.header || hidden != tc.hidden {
			t.Errorf("%s: header %q, hidden %t, %v; want %q, %t", name, header, hidden, err, tc.header, tc.hidden)
		}
		if tc.width > 0 && tc.format == "" {
			row = group.Cut(strings.TrimSpace(row), tc.width)
		}
		if !strings.Contains(row, tc.message) {
			t.Errorf("%s: the row lacks %q:\n%s", name, tc.message, row)
		}
	}
}
