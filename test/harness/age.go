// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Backdate makes an object of one of our resources older than it is, which the API
// server does for nobody: in etcd.
func (c *Cluster) Backdate(t testing.TB, resource string, obj client.Object, by time.Duration) {
	t.Helper()
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + c.Etcd()}})
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.Close()
	if err := c.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
		t.Fatal(err)
	}
	key := "/registry/joberror.io/" + resource + "/" + obj.GetNamespace() + "/" + obj.GetName()
	found, err := etcd.Get(t.Context(), key)
	if err != nil || len(found.Kvs) != 1 {
		t.Fatalf("etcd has no %s: %v", key, err)
	}
	stamp := func(at time.Time) []byte {
		return []byte(`"creationTimestamp":"` + at.UTC().Format(time.RFC3339) + `"`)
	}
	created := obj.GetCreationTimestamp().Time
	aged := bytes.Replace(found.Kvs[0].Value, stamp(created), stamp(created.Add(-by)), 1)
	if bytes.Equal(aged, found.Kvs[0].Value) {
		t.Fatalf("%s has no time of creation", key)
	}
	if _, err := etcd.Put(t.Context(), key, string(aged)); err != nil {
		t.Fatal(err)
	}
}
