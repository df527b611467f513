// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"joberror.io/operator/test/harness"
)

// deleteNamespace deletes a namespace while its Jobs fail. Nothing must be left of it.
func deleteNamespace(ctx context.Context, a *actor) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("soak-%d-%s", a.number, a.object(""))}}
	if err := a.create(ctx, ns); err != nil {
		return err
	}
	for i := range a.between(1, 5) {
		if err := a.create(ctx, harness.Job(ns.Name, fmt.Sprintf("job-%d", i), harness.Failing("3"))); err != nil {
			return err
		}
		a.tally.add("jobs", 1)
	}
	if _, err := a.request(ctx, http.MethodPost, harness.JobErrorsPath(ns.Name, "job-0"), `[{"code":"row"}]`); err != nil {
		return err
	}
	if err := pause(ctx, time.Duration(a.random.Int64N(int64(maxPause)))); err != nil {
		return err
	}
	if err := a.delete(ctx, ns); err != nil {
		return err
	}
	a.tally.add("deleted namespaces", 1)
	return a.awaitGone(ctx, ns)
}
