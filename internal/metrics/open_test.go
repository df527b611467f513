// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestTheLeaderTellsHowManyErrorsAreOpen(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	utilruntime.Must(joberrorv1.AddToScheme(scheme))
	of := func(namespace, name string, resolved bool) *joberrorv1.JobError {
		return &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: joberrorv1.JobErrorSpec{Resolved: resolved}}
	}
	cache := fake.NewClientBuilder().WithScheme(scheme).
		WithObjects(of("a", "1", false), of("a", "2", false), of("a", "3", true), of("b", "1", true)).Build()
	elected := make(chan struct{})
	collector := &open{cache: cache, elected: elected}
	if n := testutil.CollectAndCount(collector); n != 0 {
		t.Errorf("a replica that is not the leader tells %d values", n)
	}
	close(elected)
	const want = `
# HELP joberror_open_errors JobErrors that nobody has resolved yet.
# TYPE joberror_open_errors gauge
joberror_open_errors{namespace="a"} 2
joberror_open_errors{namespace="b"} 0
`
	if err := testutil.CollectAndCompare(collector, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
