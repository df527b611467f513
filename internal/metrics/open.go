// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	joberrorv1 "joberror.io/operator/api/v1"
)

var openErrors = prometheus.NewDesc("joberror_open_errors", "JobErrors that nobody has resolved yet.", []string{namespaceLabel}, nil)

// open counts the open JobErrors in the cache when it is asked. The leader alone
// does: two replicas would tell of each error twice.
type open struct {
	cache   client.Reader
	elected <-chan struct{}
}

// Setup serves the number of open JobErrors.
func Setup(mgr ctrl.Manager) error {
	if err := metrics.Registry.Register(&open{cache: mgr.GetClient(), elected: mgr.Elected()}); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func (o *open) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- openErrors }

func (o *open) Collect(values chan<- prometheus.Metric) {
	select {
	case <-o.elected:
	default:
		return
	}
	var list joberrorv1.JobErrorList
	if err := o.cache.List(context.Background(), &list, client.UnsafeDisableDeepCopy); err != nil {
		values <- prometheus.NewInvalidMetric(openErrors, err)
		return
	}
	for namespace, n := range openByNamespace(list.Items) {
		values <- prometheus.MustNewConstMetric(openErrors, prometheus.GaugeValue, float64(n), namespace)
	}
}

// openByNamespace has a namespace whose errors are all resolved, too: a value
// that goes away looks like one that is not known.
func openByNamespace(errors []joberrorv1.JobError) map[string]int {
	byNamespace := map[string]int{}
	for i := range errors {
		if errors[i].Spec.Resolved {
			byNamespace[errors[i].Namespace] += 0
			continue
		}
		byNamespace[errors[i].Namespace]++
	}
	return byNamespace
}
