// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref/jobreftest"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func job(name, image string, options ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID("uid-" + name)}}
	j.Spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: image}}
	for _, option := range options {
		option(j)
	}
	return j
}

func ofCronJob(j *batchv1.Job) {
	j.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", UID: "1", Controller: ptr.To(true)}}
}

func optedOut(j *batchv1.Job) {
	j.Annotations = map[string]string{joberrorv1.AnnotationRemember: joberrorv1.Off}
}

// newStore returns a store on a fake API server with these objects and the namespace team.
func newStore(t *testing.T, api interceptor.Funcs, objects ...client.Object) *Store {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team", UID: "ns"}}
	fake := jobreftest.Cache(t, api, append(objects, namespace)...)
	return NewStore(fake, fake, testingclock.NewFakePassiveClock(now))
}

func revisions(t *testing.T, s *Store) []string {
	t.Helper()
	var list appsv1.ControllerRevisionList
	if err := s.Cached.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list.Items {
		names = append(names, r.Name)
	}
	return names
}

func TestEqualTemplatesAreKeptOnce(t *testing.T) {
	t.Parallel()
	a, b, c := job("a", "busybox"), job("b", "busybox"), job("c", "other")
	s := newStore(t, interceptor.Funcs{}, a, b, c)
	first := s.Remember(t.Context(), a)
	if again := s.Remember(t.Context(), a); first == "" || again != first {
		t.Errorf("a is kept as %q, and later as %q", first, again)
	}
	if same, other := s.Remember(t.Context(), b), s.Remember(t.Context(), c); same != first || other == first || other == "" {
		t.Errorf("b is kept as %q and c as %q, want b as %q and c as another", same, other, first)
	}
	if kept := revisions(t, s); len(kept) != 2 {
		t.Errorf("revisions = %v, want two", kept)
	}
}

func TestTemplatesThatAreNotKept(t *testing.T) {
	t.Parallel()
	for name, j := range map[string]*batchv1.Job{
		"the CronJob has it":  job("a", "busybox", ofCronJob),
		"the Job opted out":   job("a", "busybox", optedOut),
		"the Job is gone":     job("gone", "busybox"),
		"it is another's now": job("b", "busybox", func(j *batchv1.Job) { j.UID = "before" }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, interceptor.Funcs{}, job("a", "busybox"), job("b", "busybox"))
			if kept := s.Remember(t.Context(), j); kept != "" || len(revisions(t, s)) != 0 {
				t.Errorf("kept as %q", kept)
			}
		})
	}
}

func TestANamespaceHasAtMostSoManyTemplates(t *testing.T) {
	t.Parallel()
	var objects []client.Object
	for i := range maxOfNamespace + 1 {
		objects = append(objects, job(fmt.Sprintf("job-%d", i), fmt.Sprintf("image-%d", i)))
	}
	s := newStore(t, interceptor.Funcs{}, objects...)
	for i, obj := range objects {
		if kept := s.Remember(t.Context(), obj.(*batchv1.Job)); (kept != "") != (i < maxOfNamespace) {
			t.Fatalf("template %d is kept as %q", i, kept)
		}
	}
}

func TestWithoutTheRightTheStoreWaits(t *testing.T) {
	t.Parallel()
	attempts := 0
	api := interceptor.Funcs{Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
		attempts++
		return apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "controllerrevisions"}, "x", fmt.Errorf("no right"))
	}}
	a, b := job("a", "busybox"), job("b", "busybox")
	s := newStore(t, api, a, b)
	clock := testingclock.NewFakePassiveClock(now)
	s.Clock = clock
	s.Remember(t.Context(), a)
	s.Remember(t.Context(), b)
	if attempts != 1 {
		t.Errorf("%d attempts, want one", attempts)
	}
	clock.SetTime(now.Add(forbiddenDelay))
	if s.Remember(t.Context(), b); attempts != 2 {
		t.Errorf("%d attempts, want another one after %s", attempts, forbiddenDelay)
	}
}
