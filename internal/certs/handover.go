// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// spreading is how long every API server has to learn which CA to trust.
	spreading = 10 * time.Second
	// overlap is how long the CA before is trusted beside the new one: each
	// replica has changed its certificate by then.
	overlap = time.Minute
)

// handover changes from one certificate to the next, and from one CA to the
// next, without a moment in which the API server would refuse to talk to the
// operator: first all callers trust both CAs, then the servers change their
// certificate, then the old CA goes. Every replica does so for itself.
type handover struct {
	client      client.Client
	clock       clock.PassiveClock
	secret      types.NamespacedName
	certificate Certificate
	// manage is false where somebody else keeps the Secret and the callers.
	manage bool

	// ca is the CA that was seen last, and since when all callers trust it.
	ca    []byte
	since time.Time
	// served is since when the servers have its certificate.
	served time.Time
}

// Reconcile takes the next step towards what is in the Secret.
func (h *handover) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	secret := &corev1.Secret{}
	err := h.client.Get(ctx, h.secret, secret)
	if apierrors.IsNotFound(err) && h.manage {
		return ctrl.Result{}, makeSecret(ctx, h.client, h.secret)
	}
	pair := pairOf(secret)
	if err != nil || pair.leaf() == nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	ca := bundle(secret.Data[caName]).blocks()
	if len(ca) == 0 {
		return ctrl.Result{}, nil
	}
	wait, err := h.step(ctx, ca[0], pair)
	if apierrors.IsConflict(err) {
		// The cache is behind; it brings the next try.
		return ctrl.Result{RequeueAfter: time.Second}, nil
	}
	return ctrl.Result{RequeueAfter: wait}, err
}

// step returns when the next one is due; 0 where something else has to happen
// first, or nothing.
func (h *handover) step(ctx context.Context, ca []byte, pair keyPair) (time.Duration, error) {
	if !bytes.Equal(ca, h.ca) {
		h.ca, h.since, h.served = ca, time.Time{}, time.Time{}
	}
	t, err := h.trusted(ctx, ca)
	if err != nil {
		return 0, err
	}
	if !t.complete {
		if !h.manage {
			return time.Second, nil
		}
		return 0, h.inject(ctx, func(b bundle) bundle { return b.extended(ca) })
	}
	now := h.clock.Now()
	if h.since.IsZero() {
		h.since = now
	}
	if left := h.since.Add(spreading).Sub(now); left > 0 && h.served.IsZero() && h.certificate.inUse() {
		return left, nil
	}
	if err := h.certificate.write(pair); err != nil {
		return 0, err
	}
	if leaf := pair.leaf(); leaf != nil {
		expiration.Set(float64(leaf.NotAfter.Unix()))
	}
	if h.served.IsZero() {
		h.served = now
	}
	if t.alone || !h.manage {
		return 0, nil
	}
	if left := h.served.Add(overlap).Sub(now); left > 0 {
		return left, nil
	}
	return 0, h.inject(ctx, func(bundle) bundle { return ca })
}

// makeSecret makes the Secret for the rotator to fill in.
func makeSecret(ctx context.Context, c client.Writer, key types.NamespacedName) error {
	err := c.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
