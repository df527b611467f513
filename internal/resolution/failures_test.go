// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package resolution

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	joberrorv1 "joberror.io/operator/api/v1"
)

// nameless returns failures of count records that match no error.
func nameless(count int) []Outcome {
	failures := make([]Outcome, count)
	for i := range failures {
		failures[i] = Failure(fmt.Sprintf("[%d]", i), joberrorv1.FailureNotFound, "no error has this content")
	}
	return failures
}

func TestAddFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name            string
		tally           *Tally
		added           int
		failed          int32
		listed          int
		reason, message string
	}{
		{name: "no failures leave the status unchanged", tally: tallyOf(outcome("e1", Updated)),
			reason: joberrorv1.ReasonAllDone, message: "1 updated, 0 unchanged, 0 failed"},
		{name: "a failure changes all done to failed in part", tally: tallyOf(outcome("e1", Updated)), added: 1, failed: 1, listed: 1,
			reason: joberrorv1.ReasonSomeFailed, message: "1 updated, 0 unchanged, 1 failed"},
		{name: "failures without a name are listed last", tally: tallyOf(NotFound("e1"), outcome("e2", Unchanged)), added: 2, failed: 3, listed: 3,
			reason: joberrorv1.ReasonSomeFailed, message: "0 updated, 1 unchanged, 3 failed"},
		{name: "all are counted and ten are listed", tally: tallyOf(NotFound("e1")), added: 12, failed: 13, listed: 10,
			reason: joberrorv1.ReasonSomeFailed, message: "0 updated, 0 unchanged, 13 failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			status := tc.tally.Completed(now)
			before := len(status.Failures)
			AddFailures(&status, nameless(tc.added), now.Add(time.Second))
			if status.Failed != tc.failed || len(status.Failures) != tc.listed {
				t.Fatalf("failed = %d, listed = %d, want %d, %d", status.Failed, len(status.Failures), tc.failed, tc.listed)
			}
			for i, failure := range status.Failures[before:] {
				want := joberrorv1.ResolutionFailure{Name: fmt.Sprintf("[%d]", i), Reason: joberrorv1.FailureNotFound, Message: "no error has this content"}
				if failure != want {
					t.Errorf("failure = %+v, want %+v", failure, want)
				}
			}
			c := meta.FindStatusCondition(status.Conditions, joberrorv1.ConditionComplete)
			if c.Reason != tc.reason || c.Message != tc.message || !c.LastTransitionTime.Time.Equal(now) {
				t.Errorf("condition = %+v, want %s %q since %s", c, tc.reason, tc.message, now)
			}
		})
	}
}

func TestAddFailuresDoesNotCompleteAResolutionInProgress(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{Status: tallyOf(outcome("e1", Updated)).Progress(now)}
	AddFailures(&jer.Status, nameless(1), now)
	if IsComplete(jer) || jer.Status.Failed != 1 {
		t.Errorf("status = %+v, want 1 failed and not complete", jer.Status)
	}
}
