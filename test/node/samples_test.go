//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"

	"joberror.io/operator/test/samples"
)

// notProducible holds the samples that a single node can't produce from their manifests,
// and the reason.
var notProducible = map[string]string{
	"admission-error":    "no device plugin runs",
	"node-lost":          "the only node would be lost, and the operator with it",
	"node-shutdown":      "the kubelet gets shutdowns from systemd",
	"node-shutting-down": "the kubelet gets shutdowns from systemd",
	"preempted":          "preemption needs a second Job with a higher priority",
	"taint":              "a taint on the only node would delete all other pods",
}

func TestCapturesEachSample(t *testing.T) {
	for name := range notProducible {
		if _, exists := samples.Failures[name]; !exists {
			t.Errorf("there is no sample %s", name)
		}
	}
	for name := range samples.Failures {
		if _, skip := notProducible[name]; skip {
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
