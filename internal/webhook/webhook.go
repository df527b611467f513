// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook sets defaults at admission, keeps the past of restored records, and
// refuses records that have expired. Except for restored records, it is a convenience:
// while it is down, writes succeed, and the controllers set the defaults that they can. The
// policies under config/admission enforce all mandatory rules in the API server itself.
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
	linker := linker{cache: mgr.GetClient(), policy: policy}
	server := mgr.GetWebhookServer()
	server.Register(restoreJobErrorPath, admission.WithDefaulter(mgr.GetScheme(), &jobErrorRestorer{linker: linker}))
	server.Register(restoreResolutionPath, admission.WithDefaulter(mgr.GetScheme(), resolutionRestorer{}))
	server.Register(restoreRetryPath, admission.WithDefaulter(mgr.GetScheme(), retryRestorer{}))
	err := ctrl.NewWebhookManagedBy(mgr, &joberrorv1.JobError{}).
		WithDefaulter(&jobErrorDefaulter{linker: linker, clock: clock.RealClock{}}).
		WithValidator(&jobErrorValidator{cache: mgr.GetClient(), clock: clock.RealClock{}, policy: policy}).
		Complete()
	if err != nil {
		return err
	}
	err = ctrl.NewWebhookManagedBy(mgr, &joberrorv1.JobErrorResolution{}).
		WithDefaulter(resolutionDefaulter{}).
		Complete()
	if err != nil {
		return err
	}
	return ctrl.NewWebhookManagedBy(mgr, &joberrorv1.JobErrorRetry{}).
		WithDefaulter(retryDefaulter{}).
		Complete()
}

// resolutionDefaulter records which user requested a resolution.
type resolutionDefaulter struct{}

// Default sets spec.requestedBy to the authenticated user if it is empty.
func (resolutionDefaulter) Default(ctx context.Context, jer *joberrorv1.JobErrorResolution) error {
	return setRequester(ctx, &jer.Spec.RequestedBy)
}

// retryDefaulter records which user requested a retry.
type retryDefaulter struct{}

// Default sets spec.requestedBy to the authenticated user if it is empty.
func (retryDefaulter) Default(ctx context.Context, jet *joberrorv1.JobErrorRetry) error {
	return setRequester(ctx, &jet.Spec.RequestedBy)
}

func setRequester(ctx context.Context, requestedBy *string) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	if *requestedBy == "" {
		*requestedBy = req.UserInfo.Username
	}
	return nil
}
