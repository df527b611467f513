// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package informers

import (
	"context"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// oneInformer is a cache with one informer.
type oneInformer struct {
	cache.Informers
	informer cache.Informer
}

func (o oneInformer) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return o.informer, nil
}

func TestListerVisitsTheObjectsOfTheCache(t *testing.T) {
	t.Parallel()
	informer := toolscache.NewSharedIndexInformer(&toolscache.ListWatch{}, &joberrorv1.JobError{}, 0, toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
	stored := map[string]*joberrorv1.JobError{}
	for _, name := range []string{"a/1", "a/2", "b/1"} {
		namespace, base, _ := strings.Cut(name, "/")
		stored[name] = &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: base}}
		if err := informer.GetIndexer().Add(stored[name]); err != nil {
			t.Fatal(err)
		}
	}
	for namespace, want := range map[string]string{"": "a/1 a/2 b/1", "a": "a/1 a/2", "b": "b/1", "c": ""} {
		var got []string
		err := NewLister(oneInformer{informer: informer}, &joberrorv1.JobError{})(t.Context(), namespace, func(je *joberrorv1.JobError) {
			name := je.Namespace + "/" + je.Name
			if je != stored[name] {
				t.Errorf("%s is a copy", name)
			}
			got = append(got, name)
		})
		if slices.Sort(got); err != nil || strings.Join(got, " ") != want {
			t.Errorf("objects in namespace %q = %v, %v, want %s", namespace, got, err, want)
		}
	}
}
