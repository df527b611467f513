// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names of the objects under config by which the API server calls the operator.
const (
	MutatingWebhook   = "joberror-operator"
	ValidatingWebhook = "joberror-operator"
	APIService        = "v1.resolve.joberror.io"
)

// Callers are objects of the kinds that say which CA the API server trusts when
// it calls the operator, each with its name.
func Callers() map[client.Object]string {
	return map[client.Object]string{
		&admissionregistrationv1.MutatingWebhookConfiguration{}:   MutatingWebhook,
		&admissionregistrationv1.ValidatingWebhookConfiguration{}: ValidatingWebhook,
		&apiregistrationv1.APIService{}:                           APIService,
	}
}

// Bundles are the places of a caller's bundles.
func Bundles(caller client.Object) []*[]byte {
	var places []*[]byte
	switch c := caller.(type) {
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i := range c.Webhooks {
			places = append(places, &c.Webhooks[i].ClientConfig.CABundle)
		}
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i := range c.Webhooks {
			places = append(places, &c.Webhooks[i].ClientConfig.CABundle)
		}
	case *apiregistrationv1.APIService:
		places = append(places, &c.Spec.CABundle)
	}
	return places
}

// trust is how far the callers are with a CA.
type trust struct {
	// complete: each of them trusts it.
	complete bool
	// alone: none of them trusts another.
	alone bool
}

// trusted tells how far the callers in the cache are with a CA.
func (h *handover) trusted(ctx context.Context, ca []byte) (trust, error) {
	t := trust{complete: true, alone: true}
	err := h.each(ctx, func(caller client.Object) error {
		for _, place := range Bundles(caller) {
			t.complete = t.complete && bundle(*place).has(ca)
			t.alone = t.alone && len(bundle(*place).blocks()) < 2
		}
		return nil
	})
	return t, err
}

// inject writes to each caller the bundle that it should have.
func (h *handover) inject(ctx context.Context, want func(bundle) bundle) error {
	return h.each(ctx, func(caller client.Object) error {
		before := caller.DeepCopyObject().(client.Object)
		changed := false
		for _, place := range Bundles(caller) {
			next := want(*place)
			changed = changed || string(next) != string(*place)
			*place = next
		}
		if !changed {
			return nil
		}
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return h.client.Patch(ctx, caller, patch)
	})
}

// each calls f for each caller that there is: what somebody has taken away is
// called by nobody.
func (h *handover) each(ctx context.Context, f func(client.Object) error) error {
	for caller, name := range Callers() {
		err := h.client.Get(ctx, client.ObjectKey{Name: name}, caller)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("%T %s: %w", caller, name, err)
		}
		if err != nil {
			continue
		}
		if err := f(caller); err != nil {
			return fmt.Errorf("%T %s: %w", caller, name, err)
		}
	}
	return nil
}
