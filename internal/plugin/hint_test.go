// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"io"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestHint(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args, words []string
		want        string
	}{
		"no flags":        {words: []string{"kubectl", "get", "jet", "a"}, want: "kubectl get jet a"},
		"the connection":  {args: []string{"--context", "prod", "--as=ann", "--insecure-skip-tls-verify"}, words: []string{"kubectl"}, want: "kubectl --as=ann --context=prod --insecure-skip-tls-verify=true"},
		"repeated flags":  {args: []string{"--as-group=a", "--as-group=b,c"}, words: []string{"kubectl"}, want: "kubectl --as-group=a --as-group=b,c"},
		"secrets":         {args: []string{"--token=x"}, words: []string{"kubectl"}, want: "kubectl"},
		"the namespace":   {args: []string{"-n", "team"}, words: []string{"kubectl"}, want: "kubectl --namespace=team"},
		"its namespace":   {args: []string{"--namespace=old"}, words: []string{"kubectl", "-n", "new"}, want: "kubectl -n new"},
		"other flags":     {args: []string{"--open=false", "--warnings-as-errors"}, words: []string{"kubectl"}, want: "kubectl"},
		"words to quote":  {args: []string{"--kubeconfig=my config"}, words: []string{"kubectl", "--file", "it's $HOME"}, want: `kubectl --file 'it'"'"'s $HOME' '--kubeconfig=my config'`},
		"words that stay": {words: []string{"job/a.b", "2026-11-27T10:00:00.000000001Z"}, want: "job/a.b 2026-11-27T10:00:00.000000001Z"},
	} {
		o := optionsFor(genericiooptions.IOStreams{Out: io.Discard, ErrOut: io.Discard})
		if err := newRoot(o).ParseFlags(tc.args); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := o.hint(tc.words...); got != tc.want {
			t.Errorf("%s: hint = %s, want %s", name, got, tc.want)
		}
	}
}
