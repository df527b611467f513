// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// results is the body as what became of each record.
func results(t *testing.T, r harness.Response) []resolvev1.ReportedRecord {
	t.Helper()
	var results []resolvev1.ReportedRecord
	if err := json.Unmarshal(r.Body, &results); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return results
}

func TestAJobReportsItsRecords(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	cluster.Grant(t, ns, "pipeline", "joberror-reporter")
	pipeline := cluster.User(t, "pipeline")
	var one resolvev1.ReportedRecord
	answer := harness.Do(t, pipeline, http.MethodPost, path, `{"_id":"row-17","code":"E1","message":"no date"}`).Want(t, 201)
	if err := json.Unmarshal(answer.Body, &one); err != nil {
		t.Fatal(err)
	}
	if one.ID != "row-17" || one.UserID != "pipeline" || one.JobID != "job" || one.CreatedAt == "" || one.Error != nil {
		t.Errorf("answer is %+v", one)
	}
	const two = `[{"message":"a","source":"crm","extract":"x","extracted":"1","generate":"y","generated":"2","createdAt":"2026-11-05T10:15:00.5Z"},{"message":"b","_userId":"5c9","resolved":true}]`
	first := results(t, harness.Do(t, pipeline, http.MethodPost, path, strings.ReplaceAll(two, "2026-11-05T10:15:00.5Z", one.CreatedAt)).Want(t, 201))
	if len(first) != 2 || first[0].Message != "a" || first[0].CreatedAt != one.CreatedAt || first[1].UserID != "5c9" || !first[1].Resolved {
		t.Errorf("answers are %+v", first)
	}
	je := cluster.WaitFor(t, ns, "row-17", linked(joberrorv1.ReasonJobFound))
	if je.Labels[joberrorv1.LabelCaptured] != "" || je.Labels[joberrorv1.LabelClass] != joberrorv1.ClassData || len(je.OwnerReferences) != 2 || je.Spec.Message != "no date" {
		t.Errorf("the error is %+v", je)
	}
	if je := cluster.WaitFor(t, ns, first[1].ID, resolved); je.Status.ResolvedBy != "pipeline" {
		t.Errorf("resolved by %q", je.Status.ResolvedBy)
	}

	// Sent again, nothing is kept twice, and the answer is the same.
	again := results(t, harness.Do(t, pipeline, http.MethodPost, path, strings.ReplaceAll(two, "2026-11-05T10:15:00.5Z", one.CreatedAt)).Want(t, 201))
	if again[0].ID != first[0].ID || again[1].ID != first[1].ID || len(cluster.Errors(t, ns)) != 3 {
		t.Errorf("sent again: %+v, first %+v, %d errors", again, first, len(cluster.Errors(t, ns)))
	}
}

func TestAThousandRecordsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	var records []string
	for i := range 1000 {
		records = append(records, fmt.Sprintf(`{"code":"E","message":"row %d"}`, i))
	}
	body := "[" + strings.Join(records, ",") + "]"
	got := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 201))
	for i, r := range got {
		if r.Message != fmt.Sprintf("row %d", i) || r.Error != nil || r.ID == "" {
			t.Fatalf("record %d became %+v", i, r)
		}
	}
	if n := len(cluster.Errors(t, ns)); n != 1000 || len(got) != 1000 {
		t.Errorf("%d answers, %d errors", len(got), n)
	}
	tooMany := "[" + strings.Join(append(records, records[0]), ",") + "]"
	status := harness.Do(t, cluster.Config(), http.MethodPost, path, tooMany).Want(t, 422).Status(t)
	if !strings.Contains(status.Message, "Too many: 1001: must have at most 1000 items") {
		t.Errorf("the refusal says %q", status.Message)
	}
}

func TestOfAReportThatCantBeNothingIsKept(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	for name, tc := range map[string]struct {
		body string
		code int
		says string
	}{
		"no body":                        {"", 422, "body: Required"},
		"no JSON":                        {"{", 400, "no valid JSON"},
		"a field that is mistyped":       {`[{"message":"a"},{"message":"b","mesage":"c"}]`, 422, "body[1].mesage: Forbidden"},
		"a field twice":                  {`{"message":"a","message":"b"}`, 422, "duplicate field"},
		"a record that says nothing":     {`[{"message":"a"},{}]`, 422, "body[1].message: Required"},
		"an id that is no name":          {`{"_id":"Row 17","message":"a"}`, 422, "body._id: Invalid"},
		"a code that is too long":        {`{"code":"` + strings.Repeat("c", 257) + `"}`, 422, "body.code: Too long"},
		"another job":                    {`{"_jobId":"other","message":"a"}`, 422, "body._jobId: Invalid"},
		"a time to come":                 {`{"message":"a","createdAt":"2099-01-01T00:00:00Z"}`, 422, "body.createdAt: Invalid"},
		"a time that is none":            {`{"message":"a","createdAt":"yesterday"}`, 422, "body.createdAt: Invalid"},
		"a time past its retention":      {`{"message":"a","createdAt":"2020-01-01T00:00:00Z"}`, 422, "past its retention"},
		"an id twice with other content": {`[{"_id":"a","message":"a"},{"_id":"a","message":"b"}]`, 422, "body[1]._id: Duplicate"},
		"a dry run that is none":         {`{"message":"a"}?dryRun=Some`, 422, "dryRun: Unsupported"},
	} {
		body, query, _ := strings.Cut(tc.body, "?")
		got := harness.Do(t, cluster.Config(), http.MethodPost, strings.TrimSuffix(path+"?"+query, "?"), body).Want(t, tc.code).Status(t)
		if !strings.Contains(got.Message, tc.says) {
			t.Errorf("%s: the refusal says %q, want %q", name, got.Message, tc.says)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodPost, path+"?dryRun=All", `{"_id":"a","message":"a"}`).Want(t, 201)
	harness.Do(t, cluster.Config(), http.MethodPost, path+"/resolve", `{"message":"a"}`).Want(t, 405)
	harness.Do(t, cluster.Config(), http.MethodPost, harness.JobErrorsPath(ns, "unknown"), `{"message":"a"}`).Want(t, 404)
	if n := len(cluster.Errors(t, ns)); n != 0 {
		t.Errorf("%d errors were kept", n)
	}
}

func TestAnIDThatIsTakenIsToldOf(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "mine")
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	body := `[{"_id":"others","message":"a"},{"_id":"mine","message":"says something else"},{"_id":"mine-too","message":"a"}]`
	got := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 409))
	if got[0].Error == nil || got[0].Error.Code != 409 || !strings.Contains(got[0].Error.Message, "another job") ||
		got[1].Error == nil || !strings.Contains(got[1].Error.Message, "something else") || got[2].Error != nil {
		t.Errorf("answers are %+v", got)
	}
	status := harness.Do(t, cluster.Config(), http.MethodPost, path, `{"_id":"others","message":"a"}`).Want(t, 409).Status(t)
	if !strings.Contains(status.Message, "_id") {
		t.Errorf("the refusal says %q", status.Message)
	}
	cluster.WaitObserved(t, ns, "mine-too")
}

// Inside a pod, a Job has the address of the API server, a token and its CA.
func TestAPodReportsWithItsToken(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	as := rest.AnonymousClientConfig(cluster.Config())
	as.BearerToken = token(t, ns, "reporter")
	harness.Do(t, as, http.MethodPost, path, `{"message":"a"}`).Want(t, 403)
	cluster.Kubectl(t, "create", "rolebinding", "reporter", "-n", ns, "--clusterrole=joberror-reporter", "--serviceaccount="+ns+":reporter")
	harness.Eventually(t, func() string {
		if got := harness.Do(t, as, http.MethodPost, path, `{"_id":"a","message":"a"}`); got.Code != 201 {
			return string(got.Body)
		}
		return ""
	})
	if je := cluster.WaitObserved(t, ns, "a"); je.Spec.UserID != "system:serviceaccount:"+ns+":reporter" {
		t.Errorf("reported by %q", je.Spec.UserID)
	}

	// The token in a pod is bound to it, and tells which it is.
	harness.Create(t, cluster.Client, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "job-x7k2p"},
		Spec:       corev1.PodSpec{ServiceAccountName: "reporter", Containers: []corev1.Container{{Name: "main", Image: "busybox"}}},
	})
	as.BearerToken = strings.TrimSpace(cluster.Kubectl(t, "create", "token", "reporter", "-n", ns, "--bound-object-kind=Pod", "--bound-object-name=job-x7k2p"))
	harness.Do(t, as, http.MethodPost, path, `[{"_id":"b","message":"b"},{"_id":"c","message":"c","source":"crm"}]`).Want(t, http.StatusCreated)
	for name, source := range map[string]string{"b": "job-x7k2p", "c": "crm"} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Source != source {
			t.Errorf("%s: the source is %q, want %q", name, je.Spec.Source, source)
		}
	}
}

func TestTheErrorsOfAJobThatIsGoneCanStillBeReported(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a")
	cluster.WaitFor(t, ns, "a", linked(joberrorv1.ReasonJobFound))
	before := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"message":"late"}]`).Want(t, 201))
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns)
	cluster.WaitFor(t, ns, "a", linked(joberrorv1.ReasonJobDeleted))
	after := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"message":"late"},{"message":"later"}]`).Want(t, 201))
	if after[0].ID != before[0].ID {
		t.Errorf("the same record is %s, and %s after the Job is gone", before[0].ID, after[0].ID)
	}
	cluster.WaitFor(t, ns, after[1].ID, linked(joberrorv1.ReasonJobDeleted))
}

func TestAReportedRecordKeepsTheRetentionOfAJobThatIsGone(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Annotated(joberrorv1.AnnotationRetention, "7d")))
	path := harness.JobErrorsPath(ns, "job")
	names := []string{post(t, cluster.Config(), path, `{"message":"before"}`).ID}
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, names[0], linked(joberrorv1.ReasonJobDeleted))
	names = append(names, post(t, cluster.Config(), path, `{"message":"after"}`).ID)
	for _, name := range names {
		je := cluster.WaitFor(t, ns, name, linked(joberrorv1.ReasonJobDeleted))
		if left := time.Until(je.Status.ExpiresAt.Time); left > 7*24*time.Hour {
			t.Errorf("%s expires in %s, want the Job's 7 days", je.Spec.Message, left)
		}
	}
}

// occurrences waits until an error counts that many occurrences, and returns it.
func occurrences(t *testing.T, ns, name string, want int32) *joberrorv1.JobError {
	t.Helper()
	var je *joberrorv1.JobError
	harness.Eventually(t, func() string {
		je = cluster.WaitObserved(t, ns, name)
		if got := je.Status.Occurrences; got != want {
			return fmt.Sprintf("%s counts %d occurrences, want %d", name, got, want)
		}
		return ""
	})
	return je
}

// post reports one record and returns the answer.
func post(t *testing.T, as *rest.Config, path, body string) resolvev1.Record {
	t.Helper()
	var record resolvev1.Record
	if err := json.Unmarshal(harness.Do(t, as, http.MethodPost, path, body).Want(t, http.StatusCreated).Body, &record); err != nil {
		t.Fatal(err)
	}
	return record
}

func TestARecordReportedAgainCountsAndReopens(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	cluster.Grant(t, ns, "pipeline", "joberror-reporter")
	pipeline := cluster.User(t, "pipeline")
	for name, body := range map[string]string{
		"by its id":      `{"_id":"row-17","code":"E1","message":"no date"}`,
		"by its content": `{"code":"E2","message":"no date either"}`,
	} {
		id := post(t, pipeline, path, body).ID
		je := occurrences(t, ns, id, 1)
		if je.Status.FirstSeen == nil || !je.Status.FirstSeen.Equal(je.Status.LastSeen) || len(je.Status.RecentOccurrences) != 1 {
			t.Errorf("%s: the first status is %+v", name, je.Status)
		}
		first := je.Status.FirstSeen
		// The status knows whole seconds.
		time.Sleep(time.Second)
		if again := post(t, pipeline, path, body); again.ID != id {
			t.Errorf("%s: reported again it is %s, and was %s", name, again.ID, id)
		}
		je = occurrences(t, ns, id, 2)
		if !je.Status.FirstSeen.Equal(first) || !first.Before(je.Status.LastSeen) || je.Spec.Resolved {
			t.Errorf("%s: reported twice it is %+v", name, je.Status)
		}

		harness.Do(t, cluster.Config(), http.MethodPut, path+"/"+id+"/resolve", "").Want(t, http.StatusCreated)
		cluster.WaitFor(t, ns, id, resolved)
		if again := post(t, pipeline, path, body); again.ID != id || again.Resolved {
			t.Errorf("%s: reported after it was resolved it is %+v", name, again)
		}
		je = occurrences(t, ns, id, 3)
		condition := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
		if je.Spec.Resolved || condition.Reason != joberrorv1.ReasonReopened || condition.Message != "reopened: the same record was reported again by pipeline" ||
			je.Status.ResolvedBy != "" || je.Status.ResolvedAt != nil {
			t.Errorf("%s: reopened it is %+v", name, je)
		}
	}
	if n := len(cluster.Errors(t, ns)); n != 2 {
		t.Errorf("%d errors, want 2", n)
	}
}

func TestARecordWithACreatedAtIsCountedOnceHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	at := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339Nano) }
	body := fmt.Sprintf(`[{"message":"a","createdAt":%q},{"message":"b","createdAt":%[1]q},{"message":"a","createdAt":%[1]q},{"message":"a","createdAt":%q}]`, at(time.Hour), at(time.Minute))
	sent := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 201))
	if len(sent) != 4 || sent[0].ID != sent[2].ID || sent[0].ID != sent[3].ID || sent[0].ID == sent[1].ID {
		t.Fatalf("answers are %+v", sent)
	}
	occurrences(t, ns, sent[0].ID, 3)
	occurrences(t, ns, sent[1].ID, 1)
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", "").Want(t, http.StatusOK)
	a, b := cluster.WaitFor(t, ns, sent[0].ID, resolved), cluster.WaitFor(t, ns, sent[1].ID, resolved)
	for range 2 {
		again := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 201))
		if !again[0].Resolved || !again[1].Resolved || again[0].ID != sent[0].ID || again[1].ID != sent[1].ID {
			t.Errorf("sent again: %+v", again)
		}
	}
	for _, before := range []*joberrorv1.JobError{a, b} {
		// Nothing is written, so nothing can come later.
		if je := cluster.WaitObserved(t, ns, before.Name); je.ResourceVersion != before.ResourceVersion {
			t.Errorf("%+v became %+v", before.Status, je.Status)
		}
	}
	// It happened before the error was resolved, and was known only after that.
	late := post(t, cluster.Config(), path, fmt.Sprintf(`{"message":"b","createdAt":%q}`, at(time.Minute)))
	if je := occurrences(t, ns, late.ID, 2); !je.Spec.Resolved {
		t.Errorf("what happened before it was resolved reopens it: %+v", je.Status)
	}
	fresh := post(t, cluster.Config(), path, fmt.Sprintf(`{"message":"b","createdAt":%q}`, at(0)))
	if je := occurrences(t, ns, fresh.ID, 3); je.Spec.Resolved || fresh.Resolved {
		t.Errorf("what happened after it was resolved does not reopen it: %+v", je.Status)
	}
}

func TestEqualRowsOfOneReportAreCounted(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	rows := func(n int, row string) string { return "[" + strings.Repeat(row+",", n-1) + row + "]" }
	three := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, rows(3, `{"_id":"three","message":"a"}`)).Want(t, 201))
	if len(three) != 3 || three[0].ID != "three" || three[2].ID != "three" {
		t.Errorf("answers are %+v", three)
	}
	occurrences(t, ns, "three", 3)
	harness.Do(t, cluster.Config(), http.MethodPost, path, rows(2, `{"_id":"three","message":"a"}`)).Want(t, 201)
	occurrences(t, ns, "three", 5)

	many := results(t, harness.Do(t, cluster.Config(), http.MethodPost, path, rows(1000, `{"_id":"many","message":"a"}`)).Want(t, 201))
	je := occurrences(t, ns, "many", 1000)
	if len(many) != 1000 || len(je.Status.RecentOccurrences) != 100 || len(cluster.Errors(t, ns)) != 2 {
		t.Errorf("%d answers, %d occurrences remembered, %d errors", len(many), len(je.Status.RecentOccurrences), len(cluster.Errors(t, ns)))
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/many/resolve", "").Want(t, http.StatusCreated)
	cluster.WaitFor(t, ns, "many", resolved)
	harness.Do(t, cluster.Config(), http.MethodPost, path, rows(1000, `{"_id":"many","message":"a"}`)).Want(t, 201)
	if je := occurrences(t, ns, "many", 2000); je.Spec.Resolved {
		t.Errorf("it is %+v", je)
	}
}

func TestARecordReportedAsResolvedStaysResolved(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	const body = `{"_id":"a","message":"a","resolved":true}`
	post(t, cluster.Config(), path, body)
	cluster.WaitFor(t, ns, "a", resolved)
	if again := post(t, cluster.Config(), path, body); !again.Resolved {
		t.Errorf("the answer is %+v", again)
	}
	if je := occurrences(t, ns, "a", 2); !je.Spec.Resolved || je.Status.ResolvedAt == nil {
		t.Errorf("it is %+v", je.Status)
	}
	// Reported as open, it is reopened.
	post(t, cluster.Config(), path, `{"_id":"b","message":"b","resolved":true}`)
	cluster.WaitFor(t, ns, "b", resolved)
	if again := post(t, cluster.Config(), path, `{"_id":"b","message":"b"}`); again.Resolved {
		t.Errorf("the answer is %+v", again)
	}
	if je := occurrences(t, ns, "b", 2); je.Spec.Resolved {
		t.Errorf("it is %+v", je.Status)
	}
}

func TestADryRunOfARecordReportedAgainWritesNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	const body = `{"_id":"a","message":"a"}`
	post(t, cluster.Config(), path, body)
	occurrences(t, ns, "a", 1)
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/resolve", "").Want(t, http.StatusCreated)
	before := cluster.WaitFor(t, ns, "a", resolved)
	if would := post(t, cluster.Config(), path+"?dryRun=All", body); would.Resolved {
		t.Errorf("the answer is %+v", would)
	}
	if je := cluster.WaitObserved(t, ns, "a"); je.ResourceVersion != before.ResourceVersion {
		t.Errorf("it was written: %+v", je)
	}
}

// The controller writes the first status at the same time.
func TestReportsOfOneRecordAtOnceAreAllCounted(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns)
	var group errgroup.Group
	group.SetLimit(10)
	for range 40 {
		group.Go(func() error {
			answer := harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"_id":"a","message":"a"},{"_id":"a","message":"a"}]`)
			if answer.Code != http.StatusCreated {
				return fmt.Errorf("%d: %s", answer.Code, answer.Body)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	occurrences(t, ns, "a", 80)
}

func TestAnErrorThatNobodyReportedIsCountedWhenItIs(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "mine")
	post(t, cluster.Config(), path, `{"_id":"mine","code":"code","message":"message of mine"}`)
	occurrences(t, ns, "mine", 2)
}
