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

// decodeResults decodes the body of a response to a report: the result of each record.
func decodeResults(t *testing.T, r harness.Response) []resolvev1.ReportedRecord {
	t.Helper()
	var records []resolvev1.ReportedRecord
	if err := json.Unmarshal(r.Body, &records); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return records
}

func TestJobReportsItsRecords(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	cluster.Grant(t, ns, "pipeline", "joberror-reporter")
	pipeline := cluster.User(t, "pipeline")
	var one resolvev1.ReportedRecord
	response := harness.Do(t, pipeline, http.MethodPost, path, `{"_id":"row-17","code":"E1","message":"no date"}`).Want(t, 201)
	if err := json.Unmarshal(response.Body, &one); err != nil {
		t.Fatal(err)
	}
	if one.ID != "row-17" || one.UserID != "pipeline" || one.JobID != "job" || one.CreatedAt == "" || one.Error != nil {
		t.Errorf("result = %+v, want record row-17 of job, reported by pipeline", one)
	}
	const two = `[{"message":"a","source":"crm","extract":"x","extracted":"1","generate":"y","generated":"2","createdAt":"2026-11-05T10:15:00.5Z"},{"message":"b","_userId":"5c9","resolved":true}]`
	first := decodeResults(t, harness.Do(t, pipeline, http.MethodPost, path, strings.ReplaceAll(two, "2026-11-05T10:15:00.5Z", one.CreatedAt)).Want(t, 201))
	if len(first) != 2 || first[0].Message != "a" || first[0].CreatedAt != one.CreatedAt || first[1].UserID != "5c9" || !first[1].Resolved {
		t.Errorf("results = %+v, want the 2 records with their fields", first)
	}
	je := cluster.WaitFor(t, ns, "row-17", withLinkReason(joberrorv1.ReasonJobFound))
	if je.Labels[joberrorv1.LabelCaptured] != "" || je.Labels[joberrorv1.LabelClass] != joberrorv1.ClassData || len(je.OwnerReferences) != 2 || je.Spec.Message != "no date" {
		t.Errorf("error = %+v, want a linked error of the class data that is not captured", je)
	}
	if je := cluster.WaitFor(t, ns, first[1].ID, isResolved); je.Status.ResolvedBy != "pipeline" {
		t.Errorf("resolvedBy = %q, want pipeline", je.Status.ResolvedBy)
	}

	// A repeated report gets the same results and creates no further errors.
	again := decodeResults(t, harness.Do(t, pipeline, http.MethodPost, path, strings.ReplaceAll(two, "2026-11-05T10:15:00.5Z", one.CreatedAt)).Want(t, 201))
	if again[0].ID != first[0].ID || again[1].ID != first[1].ID || len(cluster.Errors(t, ns)) != 3 {
		t.Errorf("results of the repeated report = %+v, want %+v; %d errors, want 3", again, first, len(cluster.Errors(t, ns)))
	}
}

func TestAcceptsAThousandRecordsInOneReport(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	var records []string
	at := time.Now().UTC().Format(time.RFC3339)
	for i := range 1000 {
		records = append(records, fmt.Sprintf(`{"code":"E","message":"row %d","createdAt":%q}`, i, at))
	}
	body := "[" + strings.Join(records, ",") + "]"
	var got []resolvev1.ReportedRecord
	// A busy machine may need longer than a request may take. A record that is sent again with the
	// same createdAt is stored and counted once.
	harness.EventuallyWithin(t, 3*time.Minute, func() string {
		response := harness.Do(t, cluster.Config(), http.MethodPost, path, body)
		if response.Code != http.StatusCreated {
			return fmt.Sprintf("code = %d, want 201: %.1000s", response.Code, response.Body)
		}
		got = decodeResults(t, response)
		return ""
	})
	for i, r := range got {
		if r.Message != fmt.Sprintf("row %d", i) || r.Error != nil || r.ID == "" {
			t.Fatalf("result %d = %+v, want the record with an ID and no error", i, r)
		}
	}
	if n := len(cluster.Errors(t, ns)); n != 1000 || len(got) != 1000 {
		t.Errorf("%d results and %d errors, want 1000 of each", len(got), n)
	}
	tooMany := "[" + strings.Join(append(records, records[0]), ",") + "]"
	status := harness.Do(t, cluster.Config(), http.MethodPost, path, tooMany).Want(t, 422).Status(t)
	if !strings.Contains(status.Message, "Too many: 1001: must have at most 1000 items") {
		t.Errorf("message = %q, want the limit of 1000 items", status.Message)
	}
}

func TestStoresNothingOfAnInvalidReport(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	for name, tc := range map[string]struct {
		body string
		code int
		want string
	}{
		"no body":                           {"", 422, "body: Required"},
		"malformed JSON":                    {"{", 400, "not valid JSON"},
		"an unknown field":                  {`[{"message":"a"},{"message":"b","mesage":"c"}]`, 422, "body[1].mesage: Forbidden"},
		"a duplicate field":                 {`{"message":"a","message":"b"}`, 422, "duplicate field"},
		"an empty record":                   {`[{"message":"a"},{}]`, 422, "body[1].message: Required"},
		"an ID that is not a valid name":    {`{"_id":"Row 17","message":"a"}`, 422, "body._id: Invalid"},
		"a code over the limit":             {`{"code":"` + strings.Repeat("c", 257) + `"}`, 422, "body.code: Too long"},
		"another Job":                       {`{"_jobId":"other","message":"a"}`, 422, "body._jobId: Invalid"},
		"a time in the future":              {`{"message":"a","createdAt":"2099-01-01T00:00:00Z"}`, 422, "body.createdAt: Invalid"},
		"a malformed time":                  {`{"message":"a","createdAt":"yesterday"}`, 422, "body.createdAt: Invalid"},
		"a time past its retention":         {`{"message":"a","createdAt":"2020-01-01T00:00:00Z"}`, 422, "past its retention"},
		"a duplicate ID with other content": {`[{"_id":"a","message":"a"},{"_id":"a","message":"b"}]`, 422, "body[1]._id: Duplicate"},
		"an invalid dry run":                {`{"message":"a"}?dryRun=Some`, 422, "dryRun: Unsupported"},
	} {
		body, query, _ := strings.Cut(tc.body, "?")
		got := harness.Do(t, cluster.Config(), http.MethodPost, strings.TrimSuffix(path+"?"+query, "?"), body).Want(t, tc.code).Status(t)
		if !strings.Contains(got.Message, tc.want) {
			t.Errorf("%s: message = %q, want %q", name, got.Message, tc.want)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodPost, path+"?dryRun=All", `{"_id":"a","message":"a"}`).Want(t, 201)
	harness.Do(t, cluster.Config(), http.MethodPost, path+"/resolve", `{"message":"a"}`).Want(t, 405)
	harness.Do(t, cluster.Config(), http.MethodPost, harness.JobErrorsPath(ns, "unknown"), `{"message":"a"}`).Want(t, 404)
	if n := len(cluster.Errors(t, ns)); n != 0 {
		t.Errorf("%d errors were stored, want none", n)
	}
}

func TestRefusesOnlyRecordsWithATakenID(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "mine")
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	body := `[{"_id":"others","message":"a"},{"_id":"mine","message":"b"},{"_id":"mine-too","message":"a"}]`
	got := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 409))
	if got[0].Error == nil || got[0].Error.Code != 409 || !strings.Contains(got[0].Error.Message, "another job") ||
		got[1].Error == nil || !strings.Contains(got[1].Error.Message, "other content") || got[2].Error != nil {
		t.Errorf("results = %+v, want errors for others and mine, and none for mine-too", got)
	}
	status := harness.Do(t, cluster.Config(), http.MethodPost, path, `{"_id":"others","message":"a"}`).Want(t, 409).Status(t)
	if !strings.Contains(status.Message, "_id") {
		t.Errorf("message = %q, want it to name _id", status.Message)
	}
	cluster.WaitObserved(t, ns, "mine-too")
}

// A Job's pod has the address of the API server, its CA and a token.
func TestPodReportsWithItsToken(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	user := rest.AnonymousClientConfig(cluster.Config())
	user.BearerToken = createToken(t, ns, "reporter")
	harness.Do(t, user, http.MethodPost, path, `{"message":"a"}`).Want(t, 403)
	cluster.Kubectl(t, "create", "rolebinding", "reporter", "-n", ns, "--clusterrole=joberror-reporter", "--serviceaccount="+ns+":reporter")
	harness.Eventually(t, func() string {
		if got := harness.Do(t, user, http.MethodPost, path, `{"_id":"a","message":"a"}`); got.Code != 201 {
			return string(got.Body)
		}
		return ""
	})
	if je := cluster.WaitObserved(t, ns, "a"); je.Spec.UserID != "system:serviceaccount:"+ns+":reporter" {
		t.Errorf("_userId = %q, want the service account", je.Spec.UserID)
	}

	// A pod's token is bound to the pod and contains its name, which becomes the source.
	harness.Create(t, cluster.Client, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "job-x7k2p"},
		Spec:       corev1.PodSpec{ServiceAccountName: "reporter", Containers: []corev1.Container{{Name: "main", Image: "busybox"}}},
	})
	user.BearerToken = strings.TrimSpace(cluster.Kubectl(t, "create", "token", "reporter", "-n", ns, "--bound-object-kind=Pod", "--bound-object-name=job-x7k2p"))
	harness.Do(t, user, http.MethodPost, path, `[{"_id":"b","message":"b"},{"_id":"c","message":"c","source":"crm"}]`).Want(t, http.StatusCreated)
	for name, source := range map[string]string{"b": "job-x7k2p", "c": "crm"} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Source != source {
			t.Errorf("source of %s = %q, want %q", name, je.Spec.Source, source)
		}
	}
}

func TestAcceptsReportsForADeletedJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a")
	cluster.WaitFor(t, ns, "a", withLinkReason(joberrorv1.ReasonJobFound))
	before := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"message":"late"}]`).Want(t, 201))
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns)
	cluster.WaitFor(t, ns, "a", withLinkReason(joberrorv1.ReasonJobDeleted))
	after := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"message":"late"},{"message":"later"}]`).Want(t, 201))
	if after[0].ID != before[0].ID {
		t.Errorf("ID after the Job was deleted = %s, want %s as before", after[0].ID, before[0].ID)
	}
	cluster.WaitFor(t, ns, after[1].ID, withLinkReason(joberrorv1.ReasonJobDeleted))
}

func TestReportForADeletedJobKeepsItsRetention(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Annotated(joberrorv1.AnnotationRetention, "7d")))
	path := harness.JobErrorsPath(ns, "job")
	names := []string{postRecord(t, cluster.Config(), path, `{"message":"before"}`).ID}
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, names[0], withLinkReason(joberrorv1.ReasonJobDeleted))
	names = append(names, postRecord(t, cluster.Config(), path, `{"message":"after"}`).ID)
	for _, name := range names {
		je := cluster.WaitFor(t, ns, name, withLinkReason(joberrorv1.ReasonJobDeleted))
		if left := time.Until(je.Status.ExpiresAt.Time); left > 7*24*time.Hour {
			t.Errorf("the record reported %s the deletion expires in %s, want at most 7 days", je.Spec.Message, left)
		}
	}
}

// waitOccurrences waits until the status of an error counts this many occurrences, and
// returns the error.
func waitOccurrences(t *testing.T, ns, name string, want int32) *joberrorv1.JobError {
	t.Helper()
	var je *joberrorv1.JobError
	harness.Eventually(t, func() string {
		je = cluster.WaitObserved(t, ns, name)
		if got := je.Status.Occurrences; got != want {
			return fmt.Sprintf("occurrences of %s = %d, want %d", name, got, want)
		}
		return ""
	})
	return je
}

// postRecord reports one record and returns the result.
func postRecord(t *testing.T, user *rest.Config, path, body string) resolvev1.Record {
	t.Helper()
	var record resolvev1.Record
	if err := json.Unmarshal(harness.Do(t, user, http.MethodPost, path, body).Want(t, http.StatusCreated).Body, &record); err != nil {
		t.Fatal(err)
	}
	return record
}

func TestCountsAndReopensARecordReportedAgain(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	cluster.Grant(t, ns, "pipeline", "joberror-reporter")
	pipeline := cluster.User(t, "pipeline")
	for name, body := range map[string]string{
		"by its ID":      `{"_id":"row-17","code":"E1","message":"no date"}`,
		"by its content": `{"code":"E2","message":"no date either"}`,
	} {
		id := postRecord(t, pipeline, path, body).ID
		je := waitOccurrences(t, ns, id, 1)
		if je.Status.FirstSeen == nil || !je.Status.FirstSeen.Equal(je.Status.LastSeen) || len(je.Status.RecentOccurrences) != 1 {
			t.Errorf("%s: status = %+v, want one occurrence, first and last seen at the same time", name, je.Status)
		}
		first := je.Status.FirstSeen
		// Times in the status have whole seconds.
		time.Sleep(time.Second)
		if again := postRecord(t, pipeline, path, body); again.ID != id {
			t.Errorf("%s: ID of the repeated record = %s, want %s", name, again.ID, id)
		}
		je = waitOccurrences(t, ns, id, 2)
		if !je.Status.FirstSeen.Equal(first) || !first.Before(je.Status.LastSeen) || je.Spec.Resolved {
			t.Errorf("%s: status after two reports = %+v, want it open, last seen after it was first seen", name, je.Status)
		}

		harness.Do(t, cluster.Config(), http.MethodPut, path+"/"+id+"/resolve", "").Want(t, http.StatusCreated)
		cluster.WaitFor(t, ns, id, isResolved)
		if again := postRecord(t, pipeline, path, body); again.ID != id || again.Resolved {
			t.Errorf("%s: result after it was resolved = %+v, want the same record, open", name, again)
		}
		je = waitOccurrences(t, ns, id, 3)
		condition := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
		if je.Spec.Resolved || condition.Reason != joberrorv1.ReasonReopened || condition.Message != "reopened: the same record was reported again by pipeline" ||
			je.Status.ResolvedBy != "" || je.Status.ResolvedAt != nil {
			t.Errorf("%s: error = %+v, want it reopened by pipeline", name, je)
		}
	}
	if n := len(cluster.Errors(t, ns)); n != 2 {
		t.Errorf("%d errors, want 2", n)
	}
}

// isResolvedAndLinked reports whether an error is resolved and linked to its Job. After that, the
// operator does not write to it on its own.
func isResolvedAndLinked(je *joberrorv1.JobError) bool {
	return isResolved(je) && withLinkReason(joberrorv1.ReasonJobFound)(je)
}

func TestCountsARecordWithACreatedAtOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	at := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339Nano) }
	body := fmt.Sprintf(`[{"message":"a","createdAt":%q},{"message":"b","createdAt":%[1]q},{"message":"a","createdAt":%[1]q},{"message":"a","createdAt":%q}]`, at(time.Hour), at(time.Minute))
	sent := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 201))
	if len(sent) != 4 || sent[0].ID != sent[2].ID || sent[0].ID != sent[3].ID || sent[0].ID == sent[1].ID {
		t.Fatalf("results = %+v, want the IDs of a, b, a and a", sent)
	}
	waitOccurrences(t, ns, sent[0].ID, 3)
	waitOccurrences(t, ns, sent[1].ID, 1)
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", "").Want(t, http.StatusOK)
	a, b := cluster.WaitFor(t, ns, sent[0].ID, isResolvedAndLinked), cluster.WaitFor(t, ns, sent[1].ID, isResolvedAndLinked)
	for range 2 {
		again := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, body).Want(t, 201))
		if !again[0].Resolved || !again[1].Resolved || again[0].ID != sent[0].ID || again[1].ID != sent[1].ID {
			t.Errorf("results of the repeated report = %+v, want the same records, resolved", again)
		}
	}
	for _, before := range []*joberrorv1.JobError{a, b} {
		// The report wrote nothing, so no later change can follow from it.
		if je := cluster.WaitObserved(t, ns, before.Name); je.ResourceVersion != before.ResourceVersion {
			t.Errorf("status = %+v, want it unchanged: %+v", je.Status, before.Status)
		}
	}
	// This occurrence happened before the error was resolved, but is reported afterwards.
	late := postRecord(t, cluster.Config(), path, fmt.Sprintf(`{"message":"b","createdAt":%q}`, at(time.Minute)))
	if je := waitOccurrences(t, ns, late.ID, 2); !je.Spec.Resolved {
		t.Errorf("an occurrence from before the resolution reopened the error: %+v", je.Status)
	}
	fresh := postRecord(t, cluster.Config(), path, fmt.Sprintf(`{"message":"b","createdAt":%q}`, at(0)))
	if je := waitOccurrences(t, ns, fresh.ID, 3); je.Spec.Resolved || fresh.Resolved {
		t.Errorf("an occurrence from after the resolution did not reopen the error: %+v", je.Status)
	}
}

func TestCountsEqualRecordsInOneReport(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	rows := func(n int, row string) string { return "[" + strings.Repeat(row+",", n-1) + row + "]" }
	three := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, rows(3, `{"_id":"three","message":"a"}`)).Want(t, 201))
	if len(three) != 3 || three[0].ID != "three" || three[2].ID != "three" {
		t.Errorf("results = %+v, want 3 with the ID three", three)
	}
	waitOccurrences(t, ns, "three", 3)
	harness.Do(t, cluster.Config(), http.MethodPost, path, rows(2, `{"_id":"three","message":"a"}`)).Want(t, 201)
	waitOccurrences(t, ns, "three", 5)

	many := decodeResults(t, harness.Do(t, cluster.Config(), http.MethodPost, path, rows(1000, `{"_id":"many","message":"a"}`)).Want(t, 201))
	je := waitOccurrences(t, ns, "many", 1000)
	if len(many) != 1000 || len(je.Status.RecentOccurrences) != 100 || len(cluster.Errors(t, ns)) != 2 {
		t.Errorf("%d results, %d recent occurrences, %d errors; want 1000, 100, 2", len(many), len(je.Status.RecentOccurrences), len(cluster.Errors(t, ns)))
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/many/resolve", "").Want(t, http.StatusCreated)
	cluster.WaitFor(t, ns, "many", isResolved)
	harness.Do(t, cluster.Config(), http.MethodPost, path, rows(1000, `{"_id":"many","message":"a"}`)).Want(t, 201)
	if je := waitOccurrences(t, ns, "many", 2000); je.Spec.Resolved {
		t.Errorf("error = %+v, want it reopened", je)
	}
}

func TestRecordReportedAsResolvedStaysResolved(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	const body = `{"_id":"a","message":"a","resolved":true}`
	postRecord(t, cluster.Config(), path, body)
	cluster.WaitFor(t, ns, "a", isResolved)
	if again := postRecord(t, cluster.Config(), path, body); !again.Resolved {
		t.Errorf("result = %+v, want it resolved", again)
	}
	if je := waitOccurrences(t, ns, "a", 2); !je.Spec.Resolved || je.Status.ResolvedAt == nil {
		t.Errorf("status = %+v, want it resolved", je.Status)
	}
	// A later report as open reopens the error.
	postRecord(t, cluster.Config(), path, `{"_id":"b","message":"b","resolved":true}`)
	cluster.WaitFor(t, ns, "b", isResolved)
	if again := postRecord(t, cluster.Config(), path, `{"_id":"b","message":"b"}`); again.Resolved {
		t.Errorf("result = %+v, want it open", again)
	}
	if je := waitOccurrences(t, ns, "b", 2); je.Spec.Resolved {
		t.Errorf("status = %+v, want it open", je.Status)
	}
}

func TestReportDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	const body = `{"_id":"a","message":"a"}`
	postRecord(t, cluster.Config(), path, body)
	waitOccurrences(t, ns, "a", 1)
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/resolve", "").Want(t, http.StatusCreated)
	before := cluster.WaitFor(t, ns, "a", isResolvedAndLinked)
	if result := postRecord(t, cluster.Config(), path+"?dryRun=All", body); result.Resolved {
		t.Errorf("result = %+v, want it open", result)
	}
	if je := cluster.WaitObserved(t, ns, "a"); je.ResourceVersion != before.ResourceVersion {
		t.Errorf("the dry run changed the error to %+v", je)
	}
}

// The controller may write the first status at the same time.
func TestCountsConcurrentReportsOfOneRecord(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	var group errgroup.Group
	group.SetLimit(10)
	for range 40 {
		group.Go(func() error {
			response := harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"_id":"a","message":"a"},{"_id":"a","message":"a"}]`)
			if response.Code != http.StatusCreated {
				return fmt.Errorf("%d: %s", response.Code, response.Body)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	waitOccurrences(t, ns, "a", 80)
}

func TestCountsTheFirstReportOfAnExistingError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "mine")
	postRecord(t, cluster.Config(), path, `{"_id":"mine","code":"code","message":"message of mine"}`)
	waitOccurrences(t, ns, "mine", 2)
}
