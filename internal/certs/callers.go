// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/certs/names"
)

// Names of the objects under config that make the API server call the operator.
const (
	MutatingWebhook   = names.MutatingWebhook
	ValidatingWebhook = names.ValidatingWebhook
	APIService        = names.APIService
)

// Callers returns an empty object of each kind that makes the API server call the
// operator, with its name. These objects hold the CAs that the API server trusts for the
// call.
func Callers() map[client.Object]string {
	return map[client.Object]string{
		&admissionregistrationv1.MutatingWebhookConfiguration{}:   MutatingWebhook,
		&admissionregistrationv1.ValidatingWebhookConfiguration{}: ValidatingWebhook,
		&apiregistrationv1.APIService{}:                           APIService,
	}
}

// CABundles returns pointers to the caBundle fields of a caller.
func CABundles(caller client.Object) []*[]byte {
	var bundles []*[]byte
	switch c := caller.(type) {
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i := range c.Webhooks {
			bundles = append(bundles, &c.Webhooks[i].ClientConfig.CABundle)
		}
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i := range c.Webhooks {
			bundles = append(bundles, &c.Webhooks[i].ClientConfig.CABundle)
		}
	case *apiregistrationv1.APIService:
		bundles = append(bundles, &c.Spec.CABundle)
	}
	return bundles
}

// trust is the state of the callers with respect to a CA.
type trust struct {
	// complete means that all callers trust the CA.
	complete bool
	// exclusive means that no caller trusts another CA.
	exclusive bool
}

// trustIn returns how far the callers in the cache trust a CA.
func (h *handover) trustIn(ctx context.Context, ca []byte) (trust, error) {
	t := trust{complete: true, exclusive: true}
	err := h.forEachCaller(ctx, func(caller client.Object) error {
		for _, caBundle := range CABundles(caller) {
			t.complete = t.complete && bundle(*caBundle).has(ca)
			t.exclusive = t.exclusive && len(bundle(*caBundle).certificates()) < 2
		}
		return nil
	})
	return t, err
}

// inject updates the bundles of each caller.
func (h *handover) inject(ctx context.Context, update func(bundle) bundle) error {
	return h.forEachCaller(ctx, func(caller client.Object) error {
		before := caller.DeepCopyObject().(client.Object)
		changed := false
		for _, caBundle := range CABundles(caller) {
			updated := update(*caBundle)
			changed = changed || string(updated) != string(*caBundle)
			*caBundle = updated
		}
		if !changed {
			return nil
		}
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return h.client.Patch(ctx, caller, patch)
	})
}

// forEachCaller calls f for each caller that exists. The API server does not call the
// operator through an object that was deleted.
func (h *handover) forEachCaller(ctx context.Context, f func(client.Object) error) error {
	for caller, name := range Callers() {
		err := h.client.Get(ctx, client.ObjectKey{Name: name}, caller)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read %T %s: %w", caller, name, err)
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
