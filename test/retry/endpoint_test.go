// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// retryIn decodes the body of a response as a retry.
func retryIn(t *testing.T, r harness.Response) *joberrorv1.JobErrorRetry {
	t.Helper()
	jet := &joberrorv1.JobErrorRetry{}
	if err := json.Unmarshal(r.Body, jet); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return jet
}

func TestPOSTRetry(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failed := failedJob(t, ns, "import")
	alice := editor(t, ns, "alice")
	body := `{"set":[{"container":"main","args":["--only-open"],"env":[{"name":"MODE","value":"repair"}],"resources":{"limits":{"memory":"2Gi"}}}],"reason":"bad rows"}`
	jet := retryIn(t, post(t, alice, ns, "import", body).Want(t, 201))
	if jet.Kind != "JobErrorRetry" || jet.Spec.RequestedBy != "alice" || jet.Spec.Reason != "bad rows" || jet.Status.Job.Name != "import-r1" || jet.Status.Root.UID != failed.UID {
		t.Errorf("retry = %+v, want import-r1 for alice", jet)
	}
	job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{})
	main := job.Spec.Template.Spec.Containers[0]
	if fmt.Sprint(main.Args) != "[--only-open]" || main.Env[len(main.Env)-1].Value != "repair" && main.Env[0].Value != "repair" || main.Resources.Limits.Memory().String() != "2Gi" {
		t.Errorf("container = %+v, want the overrides", main)
	}
	status := post(t, alice, ns, "import", "").Want(t, 409).Status(t)
	if !strings.Contains(status.Message, "import-r1 has not ended") {
		t.Errorf("message = %q, want the retry that is under way", status.Message)
	}
}

func TestPUTRetryOfErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	je := awaitErrors(t, ns, "import")[0]
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	path := harness.JobErrorsPath(ns, "import") + "/retry"
	alice := editor(t, ns, "alice")
	status := harness.Do(t, alice, http.MethodPut, path, `{"errors":["others"]}`).Want(t, 404).Status(t)
	if !strings.Contains(status.Message, "others") {
		t.Errorf("message = %q, want it to name the error of another job", status.Message)
	}
	jet := retryIn(t, harness.Do(t, alice, http.MethodPut, path, `{"errors":["`+je.Name+`"]}`).Want(t, 200))
	if jet.Status.Job == nil || jet.Status.Job.Name != "import-r1" {
		t.Errorf("retry = %+v, want the Job import-r1", jet)
	}
}

func TestDryRunOfARetry(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	response := harness.Do(t, editor(t, ns, "alice"), http.MethodPost, retryPath(ns, "import")+"?dryRun=All", `{"set":[{"container":"main","args":["--all"]}]}`).Want(t, 201)
	job := &batchv1.Job{}
	if err := json.Unmarshal(response.Body, job); err != nil {
		t.Fatal(err)
	}
	// The API server has filled in what it fills in for every Job.
	if job.Kind != "Job" || job.Name != "import-r1" || job.UID == "" || job.Spec.Selector == nil || job.Spec.Template.Spec.Containers[0].Args[0] != "--all" {
		t.Errorf("job = %+v, want import-r1 as the API server would store it", job)
	}
	var list joberrorv1.JobErrorRetryList
	if err := cluster.Client.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	if names := jobsIn(t, ns); len(names) != 1 || len(list.Items) != 0 {
		t.Errorf("Jobs = %v, retries = %v, want that the dry run stored nothing", names, list.Items)
	}
}

func TestRefusedRetries(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	alice := editor(t, ns, "alice")
	failedJob(t, ns, "import")
	failedJob(t, ns, "selects", func(job *batchv1.Job) {
		job.Spec.ManualSelector = ptr.To(true)
		job.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "selects"}}
		job.Spec.Template.Labels = map[string]string{"app": "selects", batchv1.JobNameLabel: "selects"}
	})
	failedJob(t, ns, "worker", func(job *batchv1.Job) {
		job.OwnerReferences = []metav1.OwnerReference{{APIVersion: "jobset.x-k8s.io/v1alpha2", Kind: "JobSet", Name: "train", UID: "1", Controller: ptr.To(true)}}
	})
	harness.Create(t, cluster.Client, harness.Job(ns, "runs", running))
	for name, tc := range map[string]struct {
		job, body string
		code      int
		message   string
	}{
		"a manual selector":        {job: "selects", code: 422, message: "Job selects has spec.manualSelector"},
		"a JobSet's Job":           {job: "worker", code: 422, message: "controlled by JobSet train: retry it there"},
		"a Job that runs":          {job: "runs", code: 409, message: "Job runs has not ended"},
		"an unknown job":           {job: "nobody", code: 404, message: `has no Job "nobody"`},
		"no CronJob":               {job: "import", body: `{"template":"Current"}`, code: 422, message: "Current needs a CronJob"},
		"an unknown container":     {job: "import", body: `{"set":[{"container":"sidecar","args":["x"]}]}`, code: 422, message: "no container sidecar"},
		"an unknown template":      {job: "import", body: `{"template":"Latest"}`, code: 422, message: "spec.template"},
		"unknown indexes":          {job: "import", body: `{"indexes":"Some"}`, code: 422, message: "spec.indexes"},
		"an unknown field":         {job: "import", body: `{"templates":"Current"}`, code: 422, message: "templates"},
		"an array":                 {job: "import", body: `[]`, code: 422, message: "must be an object"},
		"no JSON":                  {job: "import", body: `{`, code: 400, message: "not valid JSON"},
		"a wrong type":             {job: "import", body: `{"set":"main"}`, code: 422, message: "set"},
		"a quantity that is none":  {job: "import", body: `{"set":[{"container":"main","resources":{"limits":{"memory":"lots"}}}]}`, code: 422, message: "body"},
		"no errors in a list":      {job: "import", body: `{"errors":[]}`, code: 422, message: "errors"},
		"a container that repeats": {job: "import", body: `{"set":[{"container":"main","args":["a"]},{"container":"main","args":["b"]}]}`, code: 422, message: "spec.set[1]"},
		"a reason that is long":    {job: "import", body: `{"reason":"` + strings.Repeat("x", 1025) + `"}`, code: 422, message: "reason"},
	} {
		t.Run(name, func(t *testing.T) {
			status := post(t, alice, ns, tc.job, tc.body).Want(t, tc.code).Status(t)
			if !strings.Contains(status.Message, tc.message) {
				t.Errorf("message = %q, want it to contain %q", status.Message, tc.message)
			}
		})
	}
	harness.Do(t, alice, http.MethodPost, retryPath(ns, "import"), "mode: full", "Content-Type: application/yaml").Want(t, 415)
	harness.Do(t, cluster.Config(), http.MethodPut, retryPath(ns, "import"), "").Want(t, 405)
	if names := jobsIn(t, ns); len(names) != 4 {
		t.Errorf("Jobs = %v, want that nothing was created", names)
	}
}

func TestNoTemplateIsLeft(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := failedJob(t, ns, "import", harness.Annotated(joberrorv1.AnnotationRemember, joberrorv1.Off))
	alice := editor(t, ns, "alice")
	deleteJob(t, job)
	harness.Eventually(t, func() string {
		response := post(t, alice, ns, "import", "")
		if response.Code != 410 {
			return fmt.Sprintf("status code = %d: %s", response.Code, response.Body)
		}
		return ""
	})
}

func TestManyClicksMakeOneRetry(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	alice := editor(t, ns, "alice")
	codes := make([]int, 20)
	var clicks sync.WaitGroup
	for i := range codes {
		clicks.Go(func() { codes[i] = post(t, alice, ns, "import", "").Code })
	}
	clicks.Wait()
	created := 0
	for _, code := range codes {
		switch code {
		case 201:
			created++
		case 409, 429:
		default:
			t.Errorf("status code = %d, want 201, 409 or 429", code)
		}
	}
	if names := jobsIn(t, ns); created != 1 || len(names) != 2 {
		t.Errorf("%d requests created a retry, Jobs = %v, want one", created, names)
	}
}

// A request may wait for the operator while another retry runs and ends.
func TestARequestFromBeforeTheEndOfARetry(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	harness.Create(t, cluster.Client, retryOf(ns, "first", "import"))
	awaitRetry(t, ns, "first", hasStarted)
	endPods(t, ns, "import-r1", 1, fails)
	awaitRetry(t, ns, "first", isComplete)
	// As if the Job ended after the next request.
	job := harness.Get(t, cluster.Client, ns, "import-r1", &batchv1.Job{})
	for i := range job.Status.Conditions {
		job.Status.Conditions[i].LastTransitionTime = metav1.NewTime(time.Now().Add(time.Hour))
	}
	if err := cluster.Client.Status().Update(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	harness.Create(t, cluster.Client, retryOf(ns, "second", "import"))
	jet := awaitRetry(t, ns, "second", isComplete)
	if _, reason, message := outcome(jet); reason != "Conflict" || !strings.Contains(message, "Job import-r1 ended after this request was made") {
		t.Errorf("Succeeded = %s, %q, want a conflict with the first retry", reason, message)
	}
}

func TestTheLimitOfRetries(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	alice := editor(t, ns, "alice")
	for attempt := 1; attempt <= maxRetries; attempt++ {
		jet := retryIn(t, post(t, alice, ns, "import", "").Want(t, 201))
		endPods(t, ns, jet.Status.Job.Name, 1, fails)
		awaitRetry(t, ns, jet.Name, isComplete)
		job := harness.Get(t, cluster.Client, ns, jet.Status.Job.Name, &batchv1.Job{})
		deleteJob(t, job)
	}
	status := post(t, alice, ns, "import", "").Want(t, 429).Status(t)
	if !strings.Contains(status.Message, "retried 3 times, which is the limit") {
		t.Errorf("message = %q, want the limit", status.Message)
	}
}

// This is the command in docs/retry.md.
func TestKubectlRetriesWithoutABody(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	out := cluster.Kubectl(t, "create", "--raw", retryPath(ns, "import"), "-f", "/dev/null")
	if !strings.Contains(out, `"import-r1"`) {
		t.Errorf("output = %s, want the retry with its Job", out)
	}
}
