// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/informers"
)

var openErrors = prometheus.NewDesc("joberror_open_errors", "JobErrors that are not resolved.", []string{namespaceLabel}, nil)

// openCollector counts the open JobErrors by namespace. It counts as the cache changes,
// because listing all JobErrors for each scrape would cost much more. Only the leader
// exports the metric: with two replicas, each error would count twice.
type openCollector struct {
	elected <-chan struct{}
	mu      sync.Mutex
	// namespaces includes those whose errors are all resolved: their value is 0, and a
	// missing value would look unknown.
	namespaces map[string]*count
}

// count holds how many errors a namespace has.
type count struct{ open, all int }

// Setup exports the number of open JobErrors, and deletes the metrics of a namespace when
// the namespace is deleted.
func Setup(ctx context.Context, mgr ctrl.Manager) error {
	o := newOpenCollector(mgr.Elected())
	_, err := informers.Handle(ctx, mgr.GetCache(), &joberrorv1.JobError{}, o)
	if err == nil {
		// Capture watches the metadata of namespaces, too.
		namespace := &metav1.PartialObjectMetadata{}
		namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
		cleaner := &namespaceCleaner{clock: clock.RealClock{}, exists: func(name string) bool {
			found := namespace.DeepCopy()
			return mgr.GetCache().Get(ctx, types.NamespacedName{Name: name}, found) == nil
		}}
		_, err = informers.Handle(ctx, mgr.GetCache(), namespace, toolscache.ResourceEventHandlerFuncs{DeleteFunc: cleaner.OnDelete})
	}
	if err == nil {
		err = metrics.Registry.Register(o)
	}
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func newOpenCollector(elected <-chan struct{}) *openCollector {
	return &openCollector{elected: elected, namespaces: map[string]*count{}}
}

// OnAdd counts a JobError that is new in the cache.
func (o *openCollector) OnAdd(obj any, _ bool) { o.add(obj, 1) }

// OnUpdate counts the new state of a JobError in place of the old one.
func (o *openCollector) OnUpdate(before, after any) {
	o.add(after, 1)
	o.add(before, -1)
}

// OnDelete stops counting a JobError that was deleted.
func (o *openCollector) OnDelete(obj any) {
	if je, ok := informers.Deleted[*joberrorv1.JobError](obj); ok {
		o.add(je, -1)
	}
}

// add adds n to the counts of a JobError's namespace.
func (o *openCollector) add(obj any, n int) {
	je, ok := obj.(*joberrorv1.JobError)
	if !ok {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.namespaces[je.Namespace]
	if c == nil {
		c = &count{}
		o.namespaces[je.Namespace] = c
	}
	c.all += n
	if !je.Spec.Resolved {
		c.open += n
	}
	if c.all == 0 {
		delete(o.namespaces, je.Namespace)
	}
}

// Describe sends the description of the metric.
func (o *openCollector) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- openErrors }

// Collect sends the number of open JobErrors for each namespace, if this replica leads.
func (o *openCollector) Collect(values chan<- prometheus.Metric) {
	select {
	case <-o.elected:
	default:
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for namespace, c := range o.namespaces {
		values <- prometheus.MustNewConstMetric(openErrors, prometheus.GaugeValue, float64(c.open), namespace)
	}
}
