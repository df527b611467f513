// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestWrongArgumentsAreUsageErrors(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"lst":                                 "did you mean list?",
		"nothing-like-it":                     "write \"kubectl joberrors show nothing-like-it\"",
		"list extra":                          "unknown command",
		"show":                                "see \"kubectl joberrors show --help\"",
		"show pod/x":                          "job/NAME or joberror/NAME",
		"show job/":                           "job/NAME or joberror/NAME",
		"--no-such-flag":                      "unknown flag: --no-such-flag; see \"kubectl joberrors --help\"",
		"list --group-by=pod":                 "--group-by: ",
		"list --since=yesterday":              "--since: ",
		"list -o xml":                         "--output: \"xml\" must be one of wide, json, ",
		"resolve":                             "requires at least 1 arg",
		"resolve x --dry-run=client":          "--dry-run: ",
		"retry x --template=Newest":           "--template: ",
		"retry x --indexes=Some":              "--indexes: ",
		"retry x --set=main":                  "--set: ",
		"report load":                         "--file: ",
		"report load --file=/":                "--file: / is a directory",
		"report joberror/x --file=-":          "must be a Job",
		"report load --file=- --from-line=0":  "--from-line: ",
		"report load --file=- --created-at=x": "--created-at: ",
		"history":                             "accepts 1 arg",
		"history joberror/x":                  "must be a Job",
		"history load --since=yesterday":      "--since: ",
		"history load --since=1d --until=2d":  "--since: must be before --until",
		"history load --limit=-1":             "--limit: ",
		"history load -o xml":                 "--output: \"xml\" must be one of wide, json, yaml, name",
		"list --namespace=Not_A_Name":         "--namespace: ",
	} {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		// A server that does not exist: wrong arguments must not need one.
		code := Run(t.Context(), append(strings.Fields(args), "--server=http://127.0.0.1:1"), streams)
		if code != exitUsage || !strings.Contains(errOut.String(), want) || out.Len() > 0 {
			t.Errorf("%s: exit code %d, stderr %q, stdout %q; want %d and %q", args, code, errOut, out, exitUsage, want)
		}
	}
}

func TestHelpListsEachSubcommand(t *testing.T) {
	t.Parallel()
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	if code := Run(t.Context(), []string{"--help"}, streams); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	for _, want := range []string{"kubectl joberrors [command]", "Exit codes:", "  list  ", "  show  ", "  history  ", "  resolve  ", "  reopen  ", "  retry  ", "  watch  ", "  report  ", "  version  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "--kubeconfig") {
		t.Errorf("the help lists the global flags:\n%s", out)
	}
}

func TestOptionsListsTheGlobalFlags(t *testing.T) {
	t.Parallel()
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	code := Run(t.Context(), []string{"options"}, streams)
	for _, want := range []string{"--kubeconfig", "--as-group", "-v, --v", "--vmodule", "--warnings-as-errors"} {
		if code != exitOK || !strings.Contains(out.String(), want) {
			t.Errorf("options: exit code %d, want %s in\n%s", code, want, out)
		}
	}
}

func TestWarningsAsErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"by default": {nil, exitOK, "Warning: JobErrors v1 is old\n"},
		"as errors":  {[]string{"--warnings-as-errors"}, exitFailed, "error: 1 warning received\n"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Warning", `299 - "JobErrors v1 is old"`)
			fmt.Fprint(w, `{"kind":"JobErrorList","apiVersion":"joberror.io/v1","metadata":{},"items":[]}`)
		}))
		streams, _, _, errOut := genericiooptions.NewTestIOStreams()
		code := Run(t.Context(), append(tc.args, "list", "--namespace=team", "--server="+server.URL), streams)
		server.Close()
		if code != tc.code || !strings.Contains(errOut.String(), tc.want) {
			t.Errorf("%s: exit code %d, %q; want %d, %q", name, code, errOut, tc.code, tc.want)
		}
	}
}

// The verbosity is one for the whole process, so this test runs alone.
func TestVerbosity(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind":"JobErrorList","apiVersion":"joberror.io/v1","metadata":{},"items":[]}`)
	}))
	defer server.Close()
	for _, tc := range []struct {
		verbosity, module string
		logs              bool
	}{
		{"6", "", true}, {"0", "round_trippers=6", true}, {"0", "", false},
	} {
		streams, _, _, errOut := genericiooptions.NewTestIOStreams()
		code := Run(t.Context(), []string{"list", "-v", tc.verbosity, "--vmodule", tc.module, "--namespace=team", "--server=" + server.URL}, streams)
		if logs := strings.Contains(errOut.String(), "/joberrors"); code != exitOK || logs != tc.logs {
			t.Errorf("%+v: exit code %d, standard error has %q", tc, code, errOut)
		}
	}
}

func TestArgs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ args, want []string }{
		{[]string{"/usr/bin/kubectl-joberrors", "show", "x"}, []string{"show", "x"}},
		{[]string{"kubectl_complete-joberrors", "show", ""}, []string{cobra.ShellCompRequestCmd, "show", ""}},
		{[]string{"kubectl_complete-joberrors.exe", ""}, []string{cobra.ShellCompRequestCmd, ""}},
	} {
		if got := Args(tc.args); !slices.Equal(got, tc.want) {
			t.Errorf("Args(%q) = %q, want %q", tc.args, got, tc.want)
		}
	}
}
