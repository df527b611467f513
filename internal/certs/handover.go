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
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// trustDelay is how long every API server has to read the new caBundle.
	trustDelay = 10 * time.Second
	// overlap is how long the old CA stays trusted after the new certificate is in use.
	// By then, each replica has changed its certificate.
	overlap = time.Minute
)

// handover replaces one certificate or CA with the next, without a moment in which the
// API server rejects the operator's certificate: first all callers trust both CAs, then
// the servers change their certificate, then the old CA is removed. Every replica does
// this independently.
type handover struct {
	client      client.Client
	clock       clock.PassiveClock
	secret      types.NamespacedName
	certificate *Certificate
	// manage is false if another tool maintains the Secret and the callers.
	manage bool

	// ca is the CA of the last step.
	ca []byte
	// trustedSince is when all callers were first seen to trust the CA.
	trustedSince time.Time
	// servedSince is when the servers got a certificate of the CA.
	servedSince time.Time
}

// Reconcile takes the next step toward the certificate in the Secret.
func (h *handover) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	secret := &corev1.Secret{}
	err := h.client.Get(ctx, h.secret, secret)
	if apierrors.IsNotFound(err) && h.manage {
		return ctrl.Result{}, createSecret(ctx, h.client, h.secret)
	}
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	pair, err := parseKeyPair(secret)
	if err != nil {
		// cert-controller has not filled in the Secret yet. Its update leads to the next
		// attempt.
		return ctrl.Result{}, nil //nolint:nilerr // an empty Secret is expected
	}
	cas := bundle(secret.Data[caName]).certificates()
	if len(cas) == 0 {
		return ctrl.Result{}, nil
	}
	wait, err := h.step(ctx, cas[0], pair)
	if apierrors.IsConflict(err) {
		// The cache is stale. It is current at the next attempt.
		return ctrl.Result{RequeueAfter: time.Second}, nil
	}
	return ctrl.Result{RequeueAfter: wait}, err
}

// step takes one step and returns the delay before the next one. It returns 0 if no step
// is left or if a change of a watched object leads to the next one.
func (h *handover) step(ctx context.Context, ca []byte, pair keyPair) (time.Duration, error) {
	if !bytes.Equal(ca, h.ca) {
		h.ca, h.trustedSince, h.servedSince = ca, time.Time{}, time.Time{}
	}
	t, err := h.trustIn(ctx, ca)
	if err != nil {
		return 0, err
	}
	if !t.complete {
		if !h.manage {
			return time.Second, nil
		}
		log.FromContext(ctx).Info("Certificate: making the callers trust a new CA, next to the old one")
		return 0, h.inject(ctx, func(b bundle) bundle { return b.with(ca) })
	}
	now := h.clock.Now()
	if h.trustedSince.IsZero() {
		h.trustedSince = now
	}
	if left := h.trustedSince.Add(trustDelay).Sub(now); left > 0 && h.servedSince.IsZero() && h.certificate.isReady() {
		return left, nil
	}
	if err := h.certificate.set(pair); err != nil {
		return 0, err
	}
	if pair.parsed != nil {
		expiration.Set(float64(pair.parsed.Leaf.NotAfter.Unix()))
	}
	if h.servedSince.IsZero() {
		h.servedSince = now
		log.FromContext(ctx).Info("Certificate: serving a certificate of the present CA")
	}
	if t.exclusive || !h.manage {
		return 0, nil
	}
	if left := h.servedSince.Add(overlap).Sub(now); left > 0 {
		return left, nil
	}
	log.FromContext(ctx).Info("Certificate: removing the old CA from the callers")
	return 0, h.inject(ctx, func(bundle) bundle { return ca })
}

// createSecret creates the Secret for the rotator to fill in.
func createSecret(ctx context.Context, c client.Writer, key types.NamespacedName) error {
	err := c.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
