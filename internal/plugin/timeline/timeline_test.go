// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func at(minute int) metav1.Time { return metav1.Unix(int64(minute)*60, 0) }

func jobError(name, job, code string, minute int) joberrorv1.JobError {
	return joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{joberrorv1.LabelClass: "application"}},
		Spec:       joberrorv1.JobErrorSpec{JobID: job, Code: code, CreatedAt: at(minute).UTC().Format(time.RFC3339), Message: "message of " + name},
		Status:     joberrorv1.JobErrorStatus{Job: &joberrorv1.JobReference{Name: job, UID: "uid-" + "load"}},
	}
}

func resolved(je joberrorv1.JobError, minute int, resolution string) joberrorv1.JobError {
	resolvedAt := at(minute)
	je.Spec.Resolved = true
	je.Status.ResolvedAt, je.Status.ResolvedBy, je.Status.Resolution = &resolvedAt, "ada", resolution
	je.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionResolved, Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonSetByUser}}
	return je
}

func TestEvents(t *testing.T) {
	t.Parallel()
	one, two, twenty := at(1), at(2), at(20)
	job := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "load", UID: "uid-load"}}
	job.Status.StartTime = &one
	job.Status.Conditions = []batchv1.JobCondition{
		{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue, LastTransitionTime: two},
		{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "too many", LastTransitionTime: two},
	}
	waiting := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "load-r1", CreationTimestamp: at(10)}}
	retry := joberrorv1.JobErrorRetry{ObjectMeta: metav1.ObjectMeta{Name: "again", CreationTimestamp: at(9)}}
	retry.Spec.RequestedBy, retry.Spec.Reason = "ada", "bucket is writable"
	retry.Status.Job, retry.Status.Attempt, retry.Status.Resolved = &joberrorv1.RetryJob{Name: "load-r1"}, 1, 2
	retry.Status.CompletedAt = &twenty
	retry.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionSucceeded, Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonRetrySucceeded}}
	refused := joberrorv1.JobErrorRetry{ObjectMeta: metav1.ObjectMeta{Name: "no", CreationTimestamp: at(21)}}
	refused.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionSucceeded, Status: metav1.ConditionFalse, Reason: "Conflict", Message: "it runs", LastTransitionTime: at(22)}}
	resolution := joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Name: "resolve-1"}}
	resolution.Spec.RequestedBy, resolution.Spec.Reason = "ada", "rows fixed"
	resolution.Status.Matched, resolution.Status.Updated, resolution.Status.Failed, resolution.Status.CompletedAt = 4, 3, 1, &twenty
	resolution.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionComplete, Status: metav1.ConditionTrue}}

	many := []joberrorv1.JobError{}
	for i := range maxAlike + 1 {
		many = append(many, resolved(jobError(fmt.Sprint("row-", i), "load", "bad_date", 3+i), 20, "resolve-1"))
	}
	many[0].Spec.Resolved = false
	again := jobError("again", "load", "Error", 2)
	again.Status.Occurrences = 1200
	again.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionResolved, Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonReopened}}
	lastSeen := at(8)
	again.Status.LastSeen = &lastSeen

	var got []string
	for _, e := range Events(Records{
		Jobs: []batchv1.Job{waiting, job}, Retries: []joberrorv1.JobErrorRetry{retry, refused}, Resolutions: []joberrorv1.JobErrorResolution{resolution},
		Errors: append(many, again, resolved(jobError("alone", "load", "Error", 4), 12, ""), resolved(jobError("alone-2", "load", "Exit", 4), 12, "")),
	}) {
		line := fmt.Sprintf("%d %d %s", e.At.Unix()/60, e.Mood, e.Title)
		if len(e.Details) > 0 {
			line += " | " + strings.Join(e.Details, " | ")
		}
		got = append(got, line)
	}
	want := []string{
		"1 0 job/load started",
		"2 1 job/load failed: BackoffLimitExceeded: too many",
		"2 1 Error: joberror/again of job/load (application, open again, 1,200 times, last at " + Time(lastSeen.Time) + ") | message of again",
		"4 0 Error: joberror/alone of job/load (application, resolved) | message of alone",
		"4 0 Exit: joberror/alone-2 of job/load (application, resolved) | message of alone-2",
		"6 1 bad_date: 4 errors of job/load (1 open), the last one is joberror/row-3 | message of row-3",
		"9 0 retry requested by ada: bucket is writable (joberrorretry/again, attempt 1, job/load-r1)",
		"10 0 job/load-r1 was created",
		"12 2 2 errors resolved by ada (SetByUser)",
		"20 1 resolved 3 of 4 errors, 1 failed by ada: rows fixed (joberrorresolution/resolve-1)",
		"20 2 retry succeeded, and resolved 2 errors (joberrorretry/again)",
		"21 0 retry requested (joberrorretry/no)",
		"22 1 retry did not succeed: Conflict: it runs",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Events:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLastWords(t *testing.T) {
	t.Parallel()
	if got := LastWords("\none\r\n\n  two  \n"); !slices.Equal(got, []string{"one", "  two"}) {
		t.Errorf("LastWords = %q", got)
	}
	long := LastWords(strings.Repeat("line\n", 20) + "the end")
	if len(long) != maxLines || long[0] != "… 14 more lines" || long[maxLines-1] != "the end" {
		t.Errorf("LastWords of 21 lines = %q", long)
	}
	if got := LastWords(strings.Repeat("x", 1000)); len([]rune(got[0])) != maxLineWidth {
		t.Errorf("a line has %d characters, want %d", len([]rune(got[0])), maxLineWidth)
	}
}

func TestGone(t *testing.T) {
	t.Parallel()
	unlinked := jobError("c", "third", "x", 1)
	unlinked.Status.Job = nil
	other := jobError("b", "second", "x", 1)
	other.Status.Job.UID = "uid-second"
	records := Records{Jobs: []batchv1.Job{{ObjectMeta: metav1.ObjectMeta{Name: "load", UID: "uid-load"}}}, Errors: []joberrorv1.JobError{jobError("a", "load", "x", 1), other, other, unlinked}}
	if deleted, unknown := Gone(records); !slices.Equal(deleted, []string{"second"}) || !slices.Equal(unknown, []string{"third"}) {
		t.Errorf("Gone = %q and %q, want second and third", deleted, unknown)
	}
}

// Codes, reasons and names of users come from other people.
func TestEventsHaveOneLine(t *testing.T) {
	t.Parallel()
	je := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: "load", Code: "bad\ncode"}}
	jer := joberrorv1.JobErrorResolution{Spec: joberrorv1.JobErrorResolutionSpec{JobID: "load", Reason: "done\nagain", RequestedBy: "ann\n2026"}}
	jet := joberrorv1.JobErrorRetry{Spec: joberrorv1.JobErrorRetrySpec{JobID: "load", Reason: "try\nagain", RequestedBy: "ann\n2026"}}
	events := Events(Records{Errors: []joberrorv1.JobError{je, je, je, je, je}, Resolutions: []joberrorv1.JobErrorResolution{jer}, Retries: []joberrorv1.JobErrorRetry{jet}})
	events = append(events, Events(Records{Errors: []joberrorv1.JobError{je}})...)
	if len(events) < 4 {
		t.Fatalf("%d events", len(events))
	}
	for _, e := range events {
		if strings.Contains(e.Title, "\n") {
			t.Errorf("the title has more than one line: %q", e.Title)
		}
	}
}
