// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package informers

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestListerVisitsTheObjectsOfTheCache(t *testing.T) {
	t.Parallel()
	indexer := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
	stored := map[string]*joberrorv1.JobError{}
	for _, name := range []string{"a/1", "a/2", "b/1"} {
		namespace, base, _ := strings.Cut(name, "/")
		stored[name] = &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: base}}
		if err := indexer.Add(stored[name]); err != nil {
			t.Fatal(err)
		}
	}
	for namespace, want := range map[string]string{"": "a/1 a/2 b/1", "a": "a/1 a/2", "b": "b/1", "c": ""} {
		var got []string
		err := listFrom[*joberrorv1.JobError](indexer)(namespace, func(je *joberrorv1.JobError) {
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
