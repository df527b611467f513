// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/timeline"
)

// Everybody who may report errors chooses their codes and messages, and could write to the terminals
// of others.
const hostile = "\x1b]0;title\x07bad\ncode"

func TestWatchEscapesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: "load", Code: hostile, Message: hostile}}
	je.Name, je.Namespace = "a", "team"
	je.Labels = map[string]string{joberrorv1.LabelCronJobName: "nightly"}
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	w := &errorWatcher{watchOptions: &watchOptions{options: optionsFor(streams)}, fail: func(err error) { t.Error(err) }}
	w.print(t.Context(), "new", je)
	if text := out.String(); strings.Contains(text, "\x1b") || strings.Count(text, "\n") != 1 || !strings.Contains(text, "joberror/a") {
		t.Errorf("printed %q, want one line without an escape sequence", text)
	}
}

func TestShowEscapesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	je := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: "load", Code: hostile, Message: "\x1b[2J"}}
	je.Name = "a"
	var out strings.Builder
	for _, e := range timeline.Events(timeline.Records{Errors: []joberrorv1.JobError{je}}) {
		showEvent(&out, e, time.Now(), func(_, text string) string { return text })
	}
	if text := out.String(); strings.Contains(text, "\x1b") || strings.Count(text, "\n") != 2 || !strings.Contains(text, "joberror/a") {
		t.Errorf("printed %q, want an event and its message, without an escape sequence", text)
	}
}
