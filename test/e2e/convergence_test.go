// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// comparableStatus returns the part of a resolved error's status that does not depend on
// how the error was resolved.
func comparableStatus(je *joberrorv1.JobError) joberrorv1.JobErrorStatus {
	s := *je.Status.DeepCopy()
	s.RetryID, s.ResolvedAt, s.ExpiresAt, s.Resolution = "", &metav1.Time{}, nil, ""
	for i := range s.Conditions {
		s.Conditions[i].LastTransitionTime = metav1.Time{}
		if s.Conditions[i].Type == joberrorv1.ConditionResolved {
			s.Conditions[i].Reason, s.Conditions[i].Message = "", ""
		}
	}
	return s
}

func TestEveryWayToResolveEndsInTheSameStatus(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	manifest := `{"apiVersion":"joberror.io/v1","kind":"JobError","metadata":{"name":"%s","namespace":"` + ns + `"},"spec":{"_jobId":"job","resolved":true}}`
	kubectl := func(stdin string, args ...string) {
		t.Helper()
		if _, err := cluster.Run(t.Context(), strings.NewReader(stdin), args...); err != nil {
			t.Fatal(err)
		}
	}
	resolveBy := map[string]func(name string){
		"by-patch": func(name string) {
			kubectl("", "patch", "je", name, "-n", ns, "--type=merge", "-p", `{"spec":{"resolved":true}}`)
		},
		"by-apply": func(name string) { kubectl(fmt.Sprintf(manifest, name), "apply", "-f", "-") },
		"by-server-side-apply": func(name string) {
			kubectl(fmt.Sprintf(manifest, name), "apply", "--server-side", "--force-conflicts", "-f", "-")
		},
		"by-resolution": func(name string) {
			harness.Create(t, cluster.Client, harness.Resolution(ns, "resolution", "job", name))
		},
		"by-endpoint": func(name string) {
			harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/"+name+"/resolve", "").Want(t, 201)
		},
		"by-bulk-endpoint": func(name string) {
			harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/resolve", `{"errors":["`+name+`"]}`).Want(t, 200)
		},
	}
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	var first *joberrorv1.JobError
	for name, resolve := range resolveBy {
		je := harness.JobError(ns, name, "job")
		je.Spec.Code, je.Spec.Message = "", ""
		harness.Create(t, cluster.Client, je)
		cluster.WaitFor(t, ns, name, withLinkReason(joberrorv1.ReasonJobFound))
		resolve(name)
		got := cluster.WaitFor(t, ns, name, isResolved)
		if got.Status.ResolvedBy != "admin" || got.Status.ResolvedAt == nil {
			t.Errorf("%s: status = %+v, want it resolved by admin with a time", name, got.Status)
		}
		if first == nil {
			first = got
		}
		if !equality.Semantic.DeepEqual(comparableStatus(got), comparableStatus(first)) {
			t.Errorf("status differs between %s and %s:\n%+v\n%+v", name, first.Name, comparableStatus(got), comparableStatus(first))
		}
	}
}

func TestApplyWithoutResolvedNeverReopens(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	manifest := `{"apiVersion":"joberror.io/v1","kind":"JobError","metadata":{"name":"e","namespace":"` + ns + `"},"spec":{"_jobId":"job"}}`
	apply := func() {
		t.Helper()
		if _, err := cluster.Run(t.Context(), strings.NewReader(manifest), "apply", "--server-side", "--field-manager=gitops", "-f", "-"); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	cluster.WaitObserved(t, ns, "e")
	harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/resolve", "").Want(t, 200)
	before := cluster.WaitFor(t, ns, "e", isResolved)
	apply()
	if after := cluster.WaitObserved(t, ns, "e"); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("applying the same manifest again changed the error to %+v", after)
	}
	for _, fields := range before.ManagedFields {
		if fields.Manager != "gitops" && fields.Manager != "joberror-operator" {
			t.Errorf("field manager = %q, want only gitops and joberror-operator", fields.Manager)
		}
	}
}
