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

// Backdate moves the creation time of a joberror.io object back. It writes to etcd, because
// the API server does not allow this change.
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
	response, err := etcd.Get(t.Context(), key)
	if err != nil || len(response.Kvs) != 1 {
		t.Fatalf("etcd has no value for %s: %v", key, err)
	}
	creationField := func(at time.Time) []byte {
		return []byte(`"creationTimestamp":"` + at.UTC().Format(time.RFC3339) + `"`)
	}
	created := obj.GetCreationTimestamp().Time
	backdated := bytes.Replace(response.Kvs[0].Value, creationField(created), creationField(created.Add(-by)), 1)
	if bytes.Equal(backdated, response.Kvs[0].Value) {
		t.Fatalf("%s has no creationTimestamp %s", key, created)
	}
	if _, err := etcd.Put(t.Context(), key, string(backdated)); err != nil {
		t.Fatal(err)
	}
}
