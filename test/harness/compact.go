// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"strconv"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// compactRevisionKey is the key in etcd that shows API servers which versions are gone.
const compactRevisionKey = "compact_rev_key"

// Compact makes etcd forget all old versions, as the API server does every five minutes. It
// waits until the JobErrors of a namespace can no longer be listed at a resource version.
func (c *Cluster) Compact(t testing.TB, namespace, resourceVersion string) {
	t.Helper()
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + c.Etcd()}})
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.Close()
	now, err := etcd.Get(t.Context(), compactRevisionKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Compact(t.Context(), now.Header.Revision); err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Put(t.Context(), compactRevisionKey, strconv.FormatInt(now.Header.Revision, 10)); err != nil {
		t.Fatal(err)
	}
	exactly := &metav1.ListOptions{ResourceVersion: resourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact}
	Eventually(t, func() string {
		err := c.Client.List(t.Context(), &joberrorv1.JobErrorList{}, client.InNamespace(namespace), &client.ListOptions{Raw: exactly})
		if !apierrors.IsResourceExpired(err) {
			return "the API server still has version " + resourceVersion
		}
		return ""
	})
}
