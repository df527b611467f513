// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestUIRefusesWrongFlags(t *testing.T) {
	for _, tc := range []struct {
		args    []string
		code    int
		message string
	}{
		{[]string{"ui", "--port=65536"}, exitUsage, "--port: must be between 0 and 65535"},
		{[]string{"ui", "--port=-1"}, exitUsage, "--port: must be between 0 and 65535"},
		{[]string{"ui", "--port=http"}, exitUsage, "--port"},
		{[]string{"ui", "--kubeconfig=" + filepath.Join(t.TempDir(), "none")}, exitFailed, "read the kubeconfig"},
	} {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		if code := Run(t.Context(), tc.args, streams); code != tc.code || !strings.Contains(errOut.String(), tc.message) {
			t.Errorf("%v = %d %q, want %d %q", tc.args, code, errOut, tc.code, tc.message)
		}
		if out.Len() > 0 {
			t.Errorf("%v prints %q", tc.args, out)
		}
	}
}
