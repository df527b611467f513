// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"context"
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
	d := NewDeleter("ConfigMap", c, newWorld().guard(t, false))
	if wait, err := d.Delete(t.Context(), stored.DeepCopy(), recordedFor(0)); wait != 0 || err != nil {
		t.Fatal(wait, err)
	}
	if _, err := d.Delete(t.Context(), stored.DeepCopy(), recordedFor(0)); !apierrors.IsNotFound(err) {
		t.Errorf("Delete of an object that is gone = %v, want NotFound", err)
	}
	if len(uids) != 2 || uids[0] != "1" {
		t.Errorf("deleted with the UIDs %v, want 1", uids)
	}
	if got := d.deleted.Load(); got != 1 {
		t.Errorf("counted %d deleted objects, want 1", got)
	}
}

func TestDeleteHoldsBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.ahead = time.Hour
	// Without a client, a request would panic.
	wait, err := NewDeleter("ConfigMap", nil, w.guard(t, false)).Delete(t.Context(), &corev1.ConfigMap{}, recordedFor(0))
	if wait < recheckAfter || err != nil {
		t.Errorf("Delete = %s, %v; want to wait", wait, err)
	}
}
