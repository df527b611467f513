// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func owner(apiVersion, kind, name string, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, UID: uid}
}

// lasts tells whether an error has the owner that lasts as long as it may.
func lasts(t *testing.T, je *joberrorv1.JobError) bool {
	t.Helper()
	return harness.HasOwner(je, harness.Get(t, cluster.Client, "", je.Namespace, &corev1.Namespace{}).UID)
}

func TestNobodyDeletesAnErrorByItsOwners(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "mallory", "joberror-resolver")
	mallory := cluster.ClientFor(t, "mallory")
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for name, job := range map[string]string{"with-a-job": "job", "without-a-job": "none"} {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, job))
		cluster.WaitObserved(t, ns, name)
		dead := `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"11111111-1111-1111-1111-111111111111"}]}}`
		if err := mallory.Patch(t.Context(), harness.JobError(ns, name, job), harness.MergePatch(dead)); err != nil {
			t.Fatal(err)
		}
		// The garbage collector takes the dead owner away, and only that.
		cluster.WaitFor(t, ns, name, func(je *joberrorv1.JobError) bool {
			return lasts(t, je) && !harness.HasOwner(je, "11111111-1111-1111-1111-111111111111")
		})
	}
}

func TestARestoredErrorIsLinkedToTheJobThatExists(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	// The cache that admission reads must know the Job.
	harness.Create(t, cluster.Client, harness.JobError(ns, "probe", "job"))
	cluster.WaitFor(t, ns, "probe", linked(joberrorv1.ReasonJobFound))
	for name, job := range map[string]string{"with-a-job": "job", "without-a-job": "none"} {
		je := harness.JobError(ns, name, job)
		je.OwnerReferences = []metav1.OwnerReference{
			owner("batch/v1", "Job", job, "22222222-2222-2222-2222-222222222222"),
			owner("v1", "Namespace", ns, "33333333-3333-3333-3333-333333333333"),
		}
		harness.Create(t, cluster.Client, je)
	}
	je := cluster.WaitFor(t, ns, "with-a-job", linked(joberrorv1.ReasonJobFound))
	if !lasts(t, je) || len(je.OwnerReferences) != 2 {
		t.Errorf("owners are %v", je.OwnerReferences)
	}
	je = cluster.WaitFor(t, ns, "without-a-job", linked(joberrorv1.ReasonJobNotFound))
	if len(je.OwnerReferences) > 0 {
		t.Errorf("owners are %v", je.OwnerReferences)
	}
}

func TestAnotherOwnerDoesNotTakeTheErrorAlong(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	pipeline := harness.Create(t, cluster.Client, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "pipeline"}})
	je := harness.JobError(ns, "e", "job")
	je.OwnerReferences = []metav1.OwnerReference{owner("v1", "ConfigMap", "pipeline", pipeline.UID)}
	harness.Eventually(t, func() string {
		// The webhook may not know of a namespace yet that is this new.
		if err := cluster.Client.Create(t.Context(), je); err != nil {
			return err.Error()
		}
		return ""
	})
	if !lasts(t, je) {
		t.Errorf("owners are %v", je.OwnerReferences)
	}
	if err := cluster.Client.Delete(t.Context(), pipeline); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return lasts(t, je) && len(je.OwnerReferences) == 1 })
}

func TestNobodyPlantsAMark(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "mallory", "edit")
	mallory := cluster.ClientFor(t, "mallory")
	marks := `"metadata":{"annotations":{"joberror.io/resolved-generation":"%s"}}`
	harness.Create(t, cluster.Client, harness.JobError(ns, "planted", "job"))
	if err := mallory.Patch(t.Context(), harness.JobError(ns, "planted", "job"), harness.MergePatch(fmt.Sprintf("{"+marks+"}", "999"))); err != nil {
		t.Fatal(err)
	}
	je := harness.JobError(ns, "created", "job")
	je.Annotations = map[string]string{joberrorv1.AnnotationResolvedGeneration: "9223372036854775807"}
	harness.Create(t, mallory, je)
	harness.Create(t, cluster.Client, harness.JobError(ns, "anonymous", "job"))
	anonymous := fmt.Sprintf("{"+marks+`,"spec":{"resolved":true}}`, "999")
	if err := mallory.Patch(t.Context(), harness.JobError(ns, "anonymous", "job"), harness.MergePatch(anonymous)); err != nil {
		t.Fatal(err)
	}
	if je := cluster.WaitFor(t, ns, "anonymous", resolved); je.Status.ResolvedBy != "mallory" {
		t.Errorf("resolved by %q, want mallory", je.Status.ResolvedBy)
	}
	status := harness.Do(t, cluster.Config(), "PUT", harness.JobErrorsPath(ns, "job")+"/resolve", "").Want(t, 200).Resolution(t).Status
	if status.Updated != 2 || status.Unchanged != 0 {
		t.Errorf("the errors with planted marks are not resolved: %+v", status)
	}
	for _, name := range []string{"planted", "created"} {
		if je := cluster.WaitFor(t, ns, name, resolved); je.Status.ResolvedBy != "admin" {
			t.Errorf("%s is resolved by %q", name, je.Status.ResolvedBy)
		}
	}
}
