// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"context"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	stored := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "a", UID: "1"}}
	var uids []string
	c := fake.NewClientBuilder().WithObjects(stored).WithInterceptorFuncs(interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			options := (&client.DeleteOptions{}).ApplyOptions(opts)
			uids = append(uids, string(*options.Preconditions.UID))
			return c.Delete(ctx, obj, opts...)
		},
	}).Build()
	d := NewDeleter(c)
	if err := d.Delete(t.Context(), "ConfigMap", stored.DeepCopy(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), "ConfigMap", stored.DeepCopy(), time.Now()); !apierrors.IsNotFound(err) {
		t.Errorf("Delete of an object that is gone = %v, want NotFound", err)
	}
	if len(uids) != 2 || uids[0] != "1" {
		t.Errorf("deleted with the UIDs %v, want 1", uids)
	}
	if got := d.take(); !maps.Equal(got, map[string]int{"ConfigMap": 1}) {
		t.Errorf("take = %v, want one ConfigMap", got)
	}
	if got := d.take(); len(got) > 0 {
		t.Errorf("the second take = %v, want nothing", got)
	}
}
