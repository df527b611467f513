// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"sync"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/severity"
)

// namespaceSeverities remembers the severity of each namespace that sets one.
type namespaceSeverities struct {
	log    logr.Logger
	mu     sync.Mutex
	levels map[string]severity.Level
}

func newNamespaceSeverities(log logr.Logger) *namespaceSeverities {
	return &namespaceSeverities{log: log, levels: map[string]severity.Level{}}
}

// of returns the severity of errors in a namespace that set none.
func (n *namespaceSeverities) of(name string) severity.Level {
	n.mu.Lock()
	defer n.mu.Unlock()
	if level, has := n.levels[name]; has {
		return level
	}
	return severity.Default
}

// OnAdd remembers the severity of a namespace.
func (n *namespaceSeverities) OnAdd(obj any, _ bool) { n.OnUpdate(nil, obj) }

// OnUpdate remembers the severity of a namespace, and logs a new one that is not allowed.
func (n *namespaceSeverities) OnUpdate(before, after any) {
	namespace, ok := after.(metav1.Object)
	if !ok {
		return
	}
	level, err := severity.Of(namespace)
	was, known := before.(metav1.Object)
	if err != nil && !(known && was.GetLabels()[joberrorv1.LabelSeverity] == namespace.GetLabels()[joberrorv1.LabelSeverity]) {
		n.log.Info("The severity of a namespace is not valid", "namespace", namespace.GetName(), "reason", err.Error())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if delete(n.levels, namespace.GetName()); level != severity.Unset {
		n.levels[namespace.GetName()] = level
	}
}

// OnDelete forgets a namespace.
func (n *namespaceSeverities) OnDelete(obj any) {
	if key, err := toolscache.DeletionHandlingObjectToName(obj); err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.levels, key.Name)
	}
}
