// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
)

func TestRevision(t *testing.T) {
	t.Parallel()
	other := failedJob(named("other"))
	other.UID = "another"
	other.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel] = "another"
	other.Spec.Template.Labels = map[string]string{batchv1.ControllerUidLabel: "another", "controller-uid": "another"}
	changed := failedJob()
	changed.Spec.Template.Spec.Containers[0].Image = "importer:2"
	revision := func(job *batchv1.Job) string {
		t.Helper()
		r, err := Revision(job, "namespace")
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			return ""
		}
		if r.OwnerReferences[0].UID != types.UID("namespace") || r.Namespace != "team" {
			t.Errorf("revision = %+v, want the namespace as its owner", r)
		}
		return r.Name
	}
	first := revision(failedJob())
	if same := revision(other); same != first {
		t.Errorf("two Jobs with the same template have the revisions %s and %s", first, same)
	}
	retried := Plan{Template: OriginalTemplate(failedJob()), Namespace: "team", Lineage: LineageOf(failedJob()), Attempt: 1, Request: "request"}.Job()
	if same := revision(retried); same != first {
		t.Errorf("a Job and its retry have the revisions %s and %s", first, same)
	}
	if got := revision(changed); got == first {
		t.Error("two Jobs with different templates have the same revision")
	}
	large := failedJob()
	large.Spec.Template.Spec.Containers[0].Args = []string{strings.Repeat("x", maxTemplate)}
	if got := revision(large); got != "" {
		t.Errorf("a template over 256 KiB is kept as %s", got)
	}
}

func TestTheTemplateInARevision(t *testing.T) {
	t.Parallel()
	job := failedJob(
		annotated(map[string]string{"note": "kept", "meta.helm.sh/release-name": "shop"}),
		labeled(map[string]string{"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"}))
	job.Spec.Template.Labels["app.kubernetes.io/managed-by"] = "Helm"
	revision, err := Revision(job, "namespace")
	if err != nil {
		t.Fatal(err)
	}
	template, err := TemplateIn(revision)
	if err != nil {
		t.Fatal(err)
	}
	fromRevision, fromJob := planFor(job), planFor(job)
	fromRevision.Template = *template
	if a, b := fromRevision.Job(), fromJob.Job(); !equality.Semantic.DeepEqual(a, b) {
		t.Errorf("the Job from the revision is %+v, and from the Job %+v", a, b)
	}
	revision.Data.Raw = []byte("{")
	if _, err := TemplateIn(revision); err == nil || !strings.Contains(err.Error(), revision.Name) {
		t.Errorf("a broken revision: %v, want an error that names it", err)
	}
}
