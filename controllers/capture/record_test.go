// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"errors"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/templates"
)

var resource = joberrorv1.GroupVersion.WithResource("joberrors").GroupResource()

// namespaceEnding is the API server's answer to a create in a namespace that is being
// deleted.
func namespaceEnding() *apierrors.StatusError {
	err := apierrors.NewForbidden(resource, "e", errors.New("the namespace is being terminated"))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: corev1.NamespaceTerminatingCause})
	return err
}

func invalid() *apierrors.StatusError {
	return apierrors.NewInvalid(joberrorv1.GroupVersion.WithKind("JobError").GroupKind(), "e", nil)
}

func forbidden(why string) *apierrors.StatusError {
	return apierrors.NewForbidden(resource, "e", errors.New(why))
}

// A failure is dropped only if it is recorded or can never be: otherwise it would be
// lost.
func TestFailedCreate(t *testing.T) {
	t.Parallel()
	soon := ctrl.Result{RequeueAfter: requeue.StaleCacheDelay}
	for name, tc := range map[string]struct {
		answer  *apierrors.StatusError
		want    ctrl.Result
		err     bool
		pending int
	}{
		"success":                {},
		"already exists":         {answer: apierrors.NewAlreadyExists(resource, "e"), want: soon, pending: 1},
		"invalid":                {answer: invalid()},
		"the namespace is going": {answer: namespaceEnding()},
		"forbidden":              {answer: forbidden("no right"), want: ctrl.Result{RequeueAfter: minRefusalDelay}, pending: 1},
		"timeout":                {answer: apierrors.NewTimeoutError("busy", 1), err: true, pending: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError { return tc.answer }}
			r := newReconciler(now, failure.Failure{Key: "exit", Occurrence: "1", At: now, PodLevel: true})
			cache := jobreftest.Cache(t, interceptor.Funcs{}, backupJob(), teamNamespace())
			r.Cached, r.Writer, r.Templates = cache, server.Writer(t), templates.NewStore(cache, cache, r.Clock)
			got, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: backup})
			if got != tc.want || (err != nil) != tc.err {
				t.Errorf("Reconcile = %v, %v, want %v", got, err, tc.want)
			}
			if pending := len(r.pending.of(backup)["a"]); pending != tc.pending {
				t.Errorf("%d are pending, want %d", pending, tc.pending)
			}
		})
	}
}

// What can't be read is not a reason to drop a failure.
func TestFailedReadKeepsTheFailure(t *testing.T) {
	t.Parallel()
	timeout := apierrors.NewTimeoutError("busy", 1)
	for name, api := range map[string]interceptor.Funcs{
		"get": {Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return timeout
		}},
		"list": {List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return timeout }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &joberrorstest.Server{}
			r := newReconciler(now, failure.Failure{Key: "exit", Occurrence: "1", At: now, PodLevel: true})
			r.Cached = jobreftest.Cache(t, api, backupJob(), teamNamespace())
			r.APIReader, r.Writer = r.Cached, server.Writer(t)
			_, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: backup})
			if !errors.Is(err, timeout) || len(r.pending.of(backup)["a"]) != 1 || len(server.Requests()) > 0 {
				t.Errorf("Reconcile: %v after %v, want the timeout and nothing written", err, server.Requests())
			}
		})
	}
}

func teamNamespace() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: backup.Namespace, UID: "n"}}
}
