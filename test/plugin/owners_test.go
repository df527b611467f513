// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"joberror.io/operator/test/harness"
)

// manifests holds the objects that own Jobs. Their controllers do not run here.
var manifests = map[string]string{
	"TrainJob": `
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
spec: {runtimeRef: {name: torch-distributed}}`,
	"JobSet": `
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
spec:
  replicatedJobs:
  - name: node
    template: {spec: {template: {spec: {containers: [{name: main, image: train}], restartPolicy: Never}}}}`,
	"Workflow": `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec: {entrypoint: main, templates: [{name: main, resource: {action: create, setOwnerReference: true}}]}`,
	"CronWorkflow": `
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
spec:
  schedules: ["0 0 1 1 *"]
  workflowSpec: {entrypoint: main, templates: [{name: main, container: {image: train}}]}`,
}

// controlledBy returns the owner reference that the controller of an owner writes.
func controlledBy(owner client.Object, gvk schema.GroupVersionKind) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(owner, gvk)}
}

// createOwner creates an object of this kind. above is its controlling owner, or nil.
func createOwner(t *testing.T, ns, kind, name string, above *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifests[kind]), &o.Object); err != nil {
		t.Fatal(err)
	}
	o.SetNamespace(ns)
	o.SetName(name)
	if above != nil {
		o.SetOwnerReferences(controlledBy(above, above.GroupVersionKind()))
	}
	return harness.Create(t, cluster.Client, o)
}

// The CRDs come from the releases that hack/assets/crds.sh pins.
func TestListGroupsByTheRootOwner(t *testing.T) {
	operate(t)
	for _, project := range []string{"jobset", "trainer", "argo-workflows"} {
		definitions := filepath.Join(cluster.Root, "bin", "crds", project)
		cluster.Kubectl(t, "apply", "--server-side", "-f", definitions)
		cluster.WaitEstablished(t, "-f", definitions)
	}
	ns := cluster.Namespace(t)
	train := createOwner(t, ns, "TrainJob", "llm", nil)
	for job, owner := range map[string]*unstructured.Unstructured{
		"of-trainjob":     createOwner(t, ns, "JobSet", "llm", train),
		"of-jobset":       createOwner(t, ns, "JobSet", "sweep", nil),
		"of-workflow":     createOwner(t, ns, "Workflow", "etl", nil),
		"of-cronworkflow": createOwner(t, ns, "Workflow", "report-1", createOwner(t, ns, "CronWorkflow", "report", nil)),
	} {
		harness.Create(t, cluster.Client, harness.Job(ns, job, func(j *batchv1.Job) {
			j.OwnerReferences = controlledBy(owner, owner.GroupVersionKind())
		}))
		harness.Create(t, cluster.Client, harness.JobError(ns, "error-"+job, job))
	}
	harness.Eventually(t, func() string {
		out, _ := plugin(t, "-n", ns, "--group-by=workload").want(t, 0)
		var workloads []string
		for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
			workloads = append(workloads, strings.Fields(line)[0])
		}
		slices.Sort(workloads)
		if want := []string{"cronworkflow/report", "jobset/sweep", "trainjob/llm", "workflow/etl"}; !slices.Equal(workloads, want) {
			return fmt.Sprintf("the workloads are %v, want %v", workloads, want)
		}
		return ""
	})
}
