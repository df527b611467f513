// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook fills in at admission what a person or a pipeline left out,
// and refuses what only a clock can judge. It is a convenience: with it down,
// writes go through, and the controllers make up for what they can. What must
// be refused always is refused by the policies under config/admission, in the
// API server itself.
package webhook

import (
	"context"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

// Setup registers the webhooks with the manager's webhook server.
func Setup(mgr ctrl.Manager, policy retention.Policy) error {
	err := ctrl.NewWebhookManagedBy(mgr, &joberrorv1.JobError{}).
		WithDefaulter(&jobErrorDefaulter{cache: mgr.GetClient(), clock: clock.RealClock{}}).
		WithValidator(&jobErrorValidator{cache: mgr.GetClient(), clock: clock.RealClock{}, policy: policy}).
		Complete()
	if err != nil {
		return err
	}
	return ctrl.NewWebhookManagedBy(mgr, &joberrorv1.JobErrorResolution{}).
		WithDefaulter(resolutionDefaulter{}).
		Complete()
}

// resolutionDefaulter stamps an entry with who asked for it.
type resolutionDefaulter struct{}

func (resolutionDefaulter) Default(ctx context.Context, entry *joberrorv1.JobErrorResolution) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	if entry.Spec.RequestedBy == "" {
		entry.Spec.RequestedBy = req.UserInfo.Username
	}
	return nil
}
