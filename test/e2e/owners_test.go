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

// ownerRef returns an owner reference.
func ownerRef(apiVersion, kind, name string, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, UID: uid}
}

// ownedByNamespace reports whether an error's namespace owns it. This owner keeps the error
// when all its other owners are deleted.
func ownedByNamespace(t *testing.T, je *joberrorv1.JobError) bool {
	t.Helper()
	return harness.HasOwner(je, harness.Get(t, cluster.Client, "", je.Namespace, &corev1.Namespace{}).UID)
}

func TestOwnerReferencesCannotDeleteAnError(t *testing.T) {
	t.Parallel()
	inBothForms(t, ownerReferencesCannotDeleteAnError)
}

func ownerReferencesCannotDeleteAnError(t *testing.T, ns string) {
	cluster.Grant(t, ns, "mallory", "joberror-resolver")
	mallory := cluster.ClientFor(t, "mallory")
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for name, job := range map[string]string{"with-a-job": "job", "without-a-job": "none"} {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, job))
		cluster.WaitObserved(t, ns, name)
		missingOwner := `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"11111111-1111-1111-1111-111111111111"}]}}`
		if err := mallory.Patch(t.Context(), harness.JobError(ns, name, job), harness.MergePatch(missingOwner)); err != nil {
			t.Fatal(err)
		}
		// The garbage collector removes the missing owner, and nothing else.
		cluster.WaitFor(t, ns, name, func(je *joberrorv1.JobError) bool {
			return ownedByNamespace(t, je) && !harness.HasOwner(je, "11111111-1111-1111-1111-111111111111")
		})
	}
}

func TestLinksARestoredErrorToTheCurrentJob(t *testing.T) {
	t.Parallel()
	inBothForms(t, linksARestoredErrorToTheCurrentJob)
}

func linksARestoredErrorToTheCurrentJob(t *testing.T, ns string) {
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	// The webhook reads the Job from its cache. Wait until the cache has it.
	harness.Create(t, cluster.Client, harness.JobError(ns, "probe", "job"))
	cluster.WaitFor(t, ns, "probe", withLinkReason(joberrorv1.ReasonJobFound))
	for name, job := range map[string]string{"with-a-job": "job", "without-a-job": "none"} {
		je := harness.JobError(ns, name, job)
		je.OwnerReferences = []metav1.OwnerReference{
			ownerRef("batch/v1", "Job", job, "22222222-2222-2222-2222-222222222222"),
			ownerRef("v1", "Namespace", ns, "33333333-3333-3333-3333-333333333333"),
		}
		harness.Create(t, cluster.Client, je)
	}
	je := cluster.WaitFor(t, ns, "with-a-job", withLinkReason(joberrorv1.ReasonJobFound))
	if !ownedByNamespace(t, je) || len(je.OwnerReferences) != 2 {
		t.Errorf("owners = %v, want the Job and the Namespace", je.OwnerReferences)
	}
	je = cluster.WaitFor(t, ns, "without-a-job", withLinkReason(joberrorv1.ReasonJobNotFound))
	if len(je.OwnerReferences) > 0 {
		t.Errorf("owners = %v, want none", je.OwnerReferences)
	}
}

func TestErrorSurvivesAnotherOwner(t *testing.T) {
	t.Parallel()
	inBothForms(t, errorSurvivesAnotherOwner)
}

func errorSurvivesAnotherOwner(t *testing.T, ns string) {
	pipeline := harness.Create(t, cluster.Client, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "pipeline"}})
	je := harness.JobError(ns, "e", "job")
	je.OwnerReferences = []metav1.OwnerReference{ownerRef("v1", "ConfigMap", "pipeline", pipeline.UID)}
	harness.Eventually(t, func() string {
		// The webhook's cache may not have the new namespace yet.
		if err := cluster.Client.Create(t.Context(), je); err != nil {
			return err.Error()
		}
		return ""
	})
	if !ownedByNamespace(t, je) {
		t.Errorf("owners = %v, want the Namespace among them", je.OwnerReferences)
	}
	if err := cluster.Client.Delete(t.Context(), pipeline); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return ownedByNamespace(t, je) && len(je.OwnerReferences) == 1 })
}

func TestIgnoresForgedMarks(t *testing.T) {
	t.Parallel()
	inBothForms(t, ignoresForgedMarks)
}

func ignoresForgedMarks(t *testing.T, ns string) {
	cluster.Grant(t, ns, "mallory", "edit")
	mallory := cluster.ClientFor(t, "mallory")
	marks := `"metadata":{"annotations":{"joberror.io/resolved-generation":"%s"}}`
	harness.Create(t, cluster.Client, harness.JobError(ns, "forged-by-patch", "job"))
	if err := mallory.Patch(t.Context(), harness.JobError(ns, "forged-by-patch", "job"), harness.MergePatch(fmt.Sprintf("{"+marks+"}", "999"))); err != nil {
		t.Fatal(err)
	}
	je := harness.JobError(ns, "forged-by-create", "job")
	je.Annotations = map[string]string{joberrorv1.AnnotationResolvedGeneration: "9223372036854775807"}
	harness.Create(t, mallory, je)
	harness.Create(t, cluster.Client, harness.JobError(ns, "forged-while-resolving", "job"))
	resolve := fmt.Sprintf("{"+marks+`,"spec":{"resolved":true}}`, "999")
	if err := mallory.Patch(t.Context(), harness.JobError(ns, "forged-while-resolving", "job"), harness.MergePatch(resolve)); err != nil {
		t.Fatal(err)
	}
	if je := cluster.WaitFor(t, ns, "forged-while-resolving", isResolved); je.Status.ResolvedBy != "mallory" {
		t.Errorf("resolvedBy = %q, want mallory", je.Status.ResolvedBy)
	}
	status := harness.Do(t, cluster.Config(), "PUT", harness.JobErrorsPath(ns, "job")+"/resolve", "").Want(t, 200).Resolution(t).Status
	if status.Updated != 2 || status.Unchanged != 0 {
		t.Errorf("status = %+v, want the 2 errors with forged marks updated", status)
	}
	for _, name := range []string{"forged-by-patch", "forged-by-create"} {
		if je := cluster.WaitFor(t, ns, name, isResolved); je.Status.ResolvedBy != "admin" {
			t.Errorf("resolvedBy of %s = %q, want admin", name, je.Status.ResolvedBy)
		}
	}
}
