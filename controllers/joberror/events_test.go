// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/events"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/truncate"
)

func TestLongestErrorFitsAnEvent(t *testing.T) {
	t.Parallel()
	name, text := strings.Repeat("n", 253), strings.Repeat("🙂", 32768)
	note := fmt.Sprintf("JobError %s: %s %s", name, truncate.Bytes(text, maxCodeInEvent), truncate.Bytes(text, maxMessageInEvent))
	if len(note) > 1024 {
		t.Errorf("the note has %d bytes, want at most 1,024", len(note))
	}
}

// A record that an older version linked has no refusal in its condition, so the Event comes
// after the upgrade.
func TestARefusalIsAnnouncedOnceForEachValue(t *testing.T) {
	t.Parallel()
	refused := func(message string) link {
		return link{job: job("1h"), refusals: []retention.Refusal{{Reason: retention.ReasonTooShort, Message: message}}}
	}
	statusOf := func(l link) *joberrorv1.JobErrorStatus {
		status := desiredStatus(jobError(1), l, expiresAt, now)
		return &status
	}
	for _, tc := range []struct {
		name   string
		before *joberrorv1.JobErrorStatus
		link   link
		want   []string
	}{
		{name: "a new error", before: &joberrorv1.JobErrorStatus{}, link: refused("1h is too short"), want: []string{"Warning RetentionTooShort 1h is too short"}},
		{name: "an error from before the upgrade", before: statusOf(link{job: job("1h")}), link: refused("1h is too short"), want: []string{"Warning RetentionTooShort 1h is too short"}},
		{name: "an announced refusal", before: statusOf(refused("1h is too short")), link: refused("1h is too short")},
		{name: "another value", before: statusOf(refused("1h is too short")), link: refused("2h is too short"), want: []string{"Warning RetentionTooShort 2h is too short"}},
		{name: "a Job that is gone", before: &joberrorv1.JobErrorStatus{}, link: link{refusals: refused("1h is too short").refusals}},
		{name: "no refusal", before: &joberrorv1.JobErrorStatus{}, link: link{job: job("")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			recorder := events.NewFakeRecorder(10)
			(&Reconciler{Recorder: recorder}).announceRefusals(tc.before, tc.link)
			close(recorder.Events)
			var got []string
			for event := range recorder.Events {
				got = append(got, event)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("Events = %q, want %q", got, tc.want)
			}
		})
	}
}
