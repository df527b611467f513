// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// BenchmarkHeap measures how much of the heap an object takes in the cache, as the API
// server sends it and with what is not read dropped.
func BenchmarkHeap(b *testing.B) {
	tools := map[string]string{
		corev1.LastAppliedConfigAnnotation: strings.Repeat("x", 1000), "argocd.argoproj.io/tracking-id": "imports:joberror.io/JobError:team/e1",
	}
	je := fullJobError()
	maps.Copy(je.Annotations, tools)
	named := completed(fullResolution(joberrorv1.MaxNamedErrors))
	named.Annotations = tools
	namespace := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "team", UID: "n", Annotations: tools}}
	for _, object := range []struct {
		name      string
		obj       any
		decode    func([]byte) (any, error)
		transform func(any) (any, error)
	}{
		{"JobError", je, decode[joberrorv1.JobError], new(stripper).stripJobError},
		{"JobErrorResolution of 1 error", completed(fullResolution(1)), decode[joberrorv1.JobErrorResolution], stripResolution},
		{"JobErrorResolution of 1000 errors", named, decode[joberrorv1.JobErrorResolution], stripResolution},
		{"Namespace", namespace, decode[metav1.PartialObjectMetadata], stripNamespace},
	} {
		data, err := json.Marshal(object.obj)
		if err != nil {
			b.Fatal(err)
		}
		whole := func(obj any) (any, error) { return obj, nil }
		for name, transform := range map[string]func(any) (any, error){"whole": whole, "stripped": object.transform} {
			b.Run(fmt.Sprintf("%s/%s", object.name, name), func(b *testing.B) {
				cached, before := make([]any, b.N), heap()
				for i := range b.N {
					obj, err := object.decode(slices.Clone(data))
					if err != nil {
						b.Fatal(err)
					}
					if cached[i], err = transform(obj); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(heap()-before)/float64(b.N), "heap-B/object")
				runtime.KeepAlive(cached)
			})
		}
	}
}

func decode[T any](data []byte) (any, error) {
	obj := new(T)
	return obj, json.Unmarshal(data, obj)
}

// heap returns the bytes of the live objects.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
