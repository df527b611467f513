// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"joberror.io/operator/internal/plugin/checks"
)

var report = &checks.Report{
	Namespace: "batch", OperatorNamespace: "joberror-system",
	Results: []checks.Result{
		{Check: "crds", Status: checks.OK, Message: "fine"},
		{Check: "webhook", Status: checks.Failed, Message: "not reached"},
	},
	Rights: []checks.Right{
		{Action: "list", Role: "joberror-viewer"},
		{Action: "retry", Role: "joberror-retrier", Missing: []string{"create jobs.batch", "create jobs.resolve.joberror.io/retry"}},
		{Action: "report", Role: "joberror-reporter", Error: "no answer"},
	},
}

func TestTheReportAsATable(t *testing.T) {
	var out bytes.Buffer
	if err := writeCheckTable(&out, report); err != nil {
		t.Fatal(err)
	}
	want := `CHECK     RESULT   MESSAGE
crds      ok       fine
webhook   failed   not reached

Your rights in namespace batch:

ACTION   ALLOWED   MISSING
list     yes       
retry    no        create jobs.batch, create jobs.resolve.joberror.io/retry
report   unknown   no answer
`
	if out.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTheReportForMachines(t *testing.T) {
	for format, decode := range map[string]func([]byte, *checks.Report) error{
		"json": func(data []byte, r *checks.Report) error { return json.Unmarshal(data, r) },
		"yaml": func(data []byte, r *checks.Report) error { return yaml.UnmarshalStrict(data, r) },
	} {
		var out bytes.Buffer
		if err := checkWriters[format](&out, report); err != nil {
			t.Fatal(err)
		}
		var decoded checks.Report
		if err := decode(out.Bytes(), &decoded); err != nil || !reflect.DeepEqual(&decoded, report) {
			t.Errorf("%s: %v, %+v", format, err, decoded)
		}
	}
}

func TestFailedChecksAreAnError(t *testing.T) {
	for want, failed := range map[string]int{"": 0, "1 check failed": 1, "2 checks failed": 2} {
		r := &checks.Report{Results: []checks.Result{{Status: checks.Warning}, {Status: checks.Unknown}}}
		for range failed {
			r.Results = append(r.Results, checks.Result{Status: checks.Failed})
		}
		got := ""
		if err := failure(r); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d failed: %q, want %q", failed, got, want)
		}
	}
}

func TestWrongUseOfCheck(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"check now", `unknown command "now" for "kubectl joberrors check"`},
		{"check -o xml", `--output: must be json or yaml, not "xml"`},
		{"check --no-such-flag", "no-such-flag"},
	} {
		var out bytes.Buffer
		code := Run(t.Context(), strings.Fields(test.args), genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &out})
		if code != exitUsage || !strings.Contains(out.String(), test.want) {
			t.Errorf("%s: exit code %d: %s", test.args, code, out.String())
		}
	}
}
