// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

// lateWork is how long what began before the deletion of a namespace may still count something
// in its metrics. A request waits for up to a minute.
const lateWork = 2 * time.Minute

// namespaceCleaner deletes the metrics of namespaces that were deleted.
type namespaceCleaner struct {
	clock clock.WithDelayedExecution
	// exists reports whether the cache has a namespace.
	exists func(name string) bool
}

// OnDelete deletes the metrics of a namespace, and later those that came back. A namespace that
// was created again keeps its metrics.
func (c *namespaceCleaner) OnDelete(obj any) {
	key, err := toolscache.DeletionHandlingObjectToName(obj)
	if err != nil {
		return
	}
	dropNamespace(key.Name)
	c.clock.AfterFunc(lateWork, func() {
		if !c.exists(key.Name) {
			dropNamespace(key.Name)
		}
	})
}

func dropNamespace(name string) {
	for _, counter := range byNamespace {
		counter.DeletePartialMatch(prometheus.Labels{namespaceLabel: name})
	}
}
