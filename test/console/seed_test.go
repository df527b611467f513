//go:build browser

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// failure is a failure of a workload of the demo. It happened a number of times in the last
// days; the latest ones are open.
type failure struct {
	namespace, cronJob, job, class, code, message string
	days, total, open                             int
	occurrences                                   int32
}

var demo = []failure{
	{"payments", "settle-ledger", "", "application", "ExitCode:1", "psycopg2.OperationalError: connection to server at \"ledger-db\" (10.4.1.9), port 5432 failed: Connection refused", 26, 34, 5, 3},
	{"payments", "settle-ledger", "", "resources", "OOMKilled", "the container was ended by signal 9 (SIGKILL): it used more memory than its limit of 512Mi", 12, 9, 2, 1},
	{"payments", "send-invoices", "", "deadline", "DeadlineExceeded", "Job was active longer than specified deadline", 20, 12, 1, 1},
	{"payments", "", "migrate-0142", "application", "ExitCode:3", "relation \"invoices_2026\" already exists", 0, 1, 1, 4},
	{"warehouse", "nightly-import", "", "data", "invalid_date", "row 1742: closed_on is not a date: 2026-02-31", 28, 88, 14, 1},
	{"warehouse", "nightly-import", "", "data", "duplicate_key", "customer C-1001 already exists", 22, 41, 6, 2},
	{"warehouse", "refresh-marts", "", "configuration", "FailedMount", "MountVolume.SetUp failed for volume \"credentials\": secret \"marts-sa\" not found", 5, 6, 2, 6},
	{"warehouse", "refresh-marts", "", "infrastructure", "NodeLost", "Node worker-7 stopped reporting its state", 17, 7, 1, 1},
	{"ml", "", "train-embeddings", "resources", "OOMKilled", "the container was ended by signal 9 (SIGKILL): it used more memory than its limit of 64Gi", 3, 4, 3, 1},
	{"ml", "", "evaluate-v12", "image", "ImagePullBackOff", "Back-off pulling image \"registry.corp/ml/eval:v12\": manifest unknown", 1, 1, 1, 1},
	{"ml", "feature-store", "", "infrastructure", "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod", 24, 15, 0, 1},
	{"platform", "backup-etcd", "", "schedule", "MissSchedule", "Missed scheduled time to start a job: 2026-11-25 03:00:00", 9, 3, 1, 1},
	{"platform", "rotate-keys", "", "policy", "PodFailurePolicy", "Container main for pod platform/rotate-keys-29381 failed with exit code 42 matching FailJob rule at index 0", 14, 5, 1, 1},
}

// seedDemo creates the errors of the demo: the same ones each time, relative to now.
func seedDemo(t *testing.T) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now().Add(-3 * time.Minute)
	namespaces := map[string]bool{}
	for n, f := range demo {
		if !namespaces[f.namespace] {
			harness.Create(t, cluster.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: f.namespace}})
			namespaces[f.namespace] = true
		}
		for i := range f.total {
			age := time.Duration(float64(f.days)*24*60*float64(i)/float64(f.total))*time.Minute + time.Duration(random.IntN(240)*n%241)*time.Minute
			je := f.jobError(fmt.Sprintf("%s%s-%d-%d", f.cronJob, f.job, n, i), i, now.Add(-age))
			if i >= f.open {
				je.Spec.Resolved = true
			}
			harness.Create(t, cluster.Client, je)
		}
	}
}

// jobError returns one of the errors of a failure, as a captured error has been stored.
func (f failure) jobError(name string, run int, at time.Time) *joberrorv1.JobError {
	job := f.job
	if job == "" {
		job = fmt.Sprintf("%s-%d", f.cronJob, 29400000-run*1440)
	}
	uid := fmt.Sprintf("%08x-0000-4000-8000-%012x", len(job), []byte(job)[len(job)-6:])
	seen := metav1.NewTime(at.Truncate(time.Second))
	first := metav1.NewTime(seen.Add(-time.Duration(f.occurrences-1) * 11 * time.Minute))
	labels := map[string]string{joberrorv1.LabelClass: f.class}
	if f.cronJob != "" {
		labels[joberrorv1.LabelCronJobName] = f.cronJob
	}
	source := job
	if f.class != "data" {
		labels[joberrorv1.LabelCaptured], labels[joberrorv1.LabelJobUID] = joberrorv1.Captured, uid
		source = job + "-x7k2p/main"
	}
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name, Labels: labels},
		Spec: joberrorv1.JobErrorSpec{
			JobID: job, Code: f.code, Message: f.message, Source: source, UserID: "joberror-operator",
			CreatedAt: first.UTC().Format(time.RFC3339),
		},
		// Whoever may restore records may create them with a status.
		Status: joberrorv1.JobErrorStatus{
			RetryID: seen.UTC().Format("2006-01-02T15:04:05.000000Z"), ObservedGeneration: 1,
			Job:         &joberrorv1.JobReference{Name: job, UID: types.UID(uid)},
			Occurrences: f.occurrences, FirstSeen: &first, LastSeen: &seen,
			ExpiresAt: &metav1.Time{Time: first.Add(30 * 24 * time.Hour)},
		},
	}
}

// archived is the number of errors of the Job import in the archive. The console asks for 100 at a
// time.
const archived = 110

// seedArchive creates errors, and waits until all of them are in the archive: those of a Job that
// were resolved, and one of another Job whose retention ends.
func seedArchive(t *testing.T, namespace string) {
	t.Helper()
	harness.Create(t, cluster.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	create := func(name, job string, at time.Time, resolved bool) {
		je := harness.JobError(namespace, name, job, harness.CreatedAt(at))
		je.Labels = map[string]string{joberrorv1.LabelClass: joberrorv1.ClassData}
		je.Spec.Code, je.Spec.Message, je.Spec.Resolved = "E42", fmt.Sprintf("<b>%s</b> was refused\nsecond line", name), resolved
		harness.Create(t, cluster.Client, je)
	}
	last := time.Now().Add(-24 * time.Hour)
	for i := range archived {
		create(fmt.Sprintf("row-%03d", i), "import", last.Add(-time.Duration(i)*2*time.Hour), true)
	}
	// The webhook refuses an error that has already expired.
	create("expired", "long-gone", time.Now().Add(15*time.Second-30*24*time.Hour), false)
	harness.Eventually(t, func() string {
		if left := len(cluster.Errors(t, namespace)); left > 0 {
			return fmt.Sprintf("%d errors are not in the archive yet", left)
		}
		return ""
	})
}

// seedMany creates many open errors of 100 Jobs.
func seedMany(t *testing.T, namespace string, n int) {
	t.Helper()
	harness.Create(t, cluster.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(24)
	for i := range n {
		group.Go(func() error {
			je := harness.JobError(namespace, fmt.Sprintf("e-%05d", i), fmt.Sprintf("batch-%02d", i%100), harness.CreatedAt(time.Now().Add(-time.Duration(i)*time.Second)))
			je.Spec.Code = fmt.Sprintf("code-%d", i/100%3)
			je.Spec.Message = fmt.Sprintf("row %d was refused", i)
			return cluster.Client.Create(ctx, je)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// seedJobs creates Jobs that fail, and a run of a CronJob that fails until it is fixed.
func seedJobs(t *testing.T, namespace string) {
	t.Helper()
	harness.Create(t, cluster.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	message := func(text string) func(*batchv1.Job) {
		return func(job *batchv1.Job) {
			metav1.SetMetaDataAnnotation(&job.Spec.Template.ObjectMeta, "dev.joberror.io/message", text)
		}
	}
	owned := func(job *batchv1.Job) { job.Annotations = map[string]string{"meta.helm.sh/release-name": "storefront"} }
	harness.Create(t, cluster.Client, harness.Job(namespace, "import", harness.Failing("3"), message("3 of 1200 rows were refused")))
	harness.Create(t, cluster.Client, harness.Job(namespace, "storefront-migrate", harness.Failing("1"), message("no such table"), owned))
	for _, args := range [][]string{
		{"apply", "-f", cluster.Root + "/config/samples/cronjob.yaml"},
		{"create", "job", "--from=cronjob/nightly-report", "nightly-report-1"},
	} {
		cluster.Kubectl(t, args...)
	}
	for job, ns := range map[string]string{"import": namespace, "storefront-migrate": namespace, "nightly-report-1": "default"} {
		cluster.WaitJobCondition(t, ns, job, batchv1.JobFailed)
		harness.Eventually(t, func() string {
			for _, je := range cluster.Errors(t, ns) {
				if je.Spec.JobID == job && je.Status.ObservedGeneration == je.Generation {
					return ""
				}
			}
			return "Job " + job + " has no error yet"
		})
	}
}
