//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"

	"joberror.io/operator/test/samples"
)

// unplayable holds the samples that one node can't produce from their manifests,
// and the reason.
var unplayable = map[string]string{
	"admission-error":    "no device plugin runs",
	"node-lost":          "the only node would be gone, and the operator with it",
	"node-shutdown":      "the kubelet learns of a shutdown from systemd",
	"node-shutting-down": "the kubelet learns of a shutdown from systemd",
	"preempted":          "it takes a second Job that needs the room",
	"taint":              "a taint of the only node would end all other pods",
}

func TestSamplesAreCapturedAsPlayed(t *testing.T) {
	for name := range unplayable {
		if _, known := samples.Failures[name]; !known {
			t.Errorf("%s is no sample", name)
		}
	}
	for name := range samples.Failures {
		if _, found := unplayable[name]; found {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			samples.Apply(t, &cluster, ns, name)
			samples.Check(t, &cluster, ns, name)
		})
	}
}
