// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// The template of a Job outlives the Job, and is deleted after its last error.
func TestATemplateLastsAsLongAsAnErrorNamesIt(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "import", harness.Failing("3")))
	for _, je := range cluster.WaitErrors(t, ns, harness.Code, "BackoffLimitExceeded", "ExitCode:3") {
		if je.Annotations[joberrorv1.AnnotationTemplate] == "" {
			t.Errorf("error %s names no template", je.Name)
		}
	}
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	retry := strings.TrimSuffix(harness.JobErrorsPath(ns, "import"), "joberrors") + "retry?dryRun=All"
	response := harness.Do(t, cluster.Config(), http.MethodPost, retry, "").Want(t, 201)
	if !strings.Contains(string(response.Body), `"import-r1"`) {
		t.Errorf("the Job that a retry would create = %s, want import-r1", response.Body)
	}
	if templates := templatesIn(t, ns); templates != 1 {
		t.Fatalf("%d templates, want 1", templates)
	}
	cluster.Kubectl(t, "delete", "joberrors", "--all", "-n", ns)
	harness.EventuallyWithin(t, 6*time.Minute, func() string {
		if templates := templatesIn(t, ns); templates > 0 {
			return fmt.Sprintf("%d templates are left", templates)
		}
		return ""
	})
}

// templatesIn returns how many templates are kept in a namespace.
func templatesIn(t *testing.T, ns string) int {
	t.Helper()
	var list appsv1.ControllerRevisionList
	if err := cluster.Client.List(t.Context(), &list, inNamespace(ns), client.HasLabels{joberrorv1.LabelTemplate}); err != nil {
		t.Fatal(err)
	}
	return len(list.Items)
}
