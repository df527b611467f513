// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"os"
	"testing"

	"joberror.io/operator/test/samples"
)

func TestCapturesEachSample(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(samples.Folder(&cluster))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(samples.Failures)+1 {
		t.Errorf("found %d samples, but expectations for %d", len(files)-1, len(samples.Failures))
	}
	for name := range samples.Failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			samples.Apply(t, &cluster, ns, name)
			samples.Check(t, &cluster, ns, name)
		})
	}
}
