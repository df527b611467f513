// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	eventsv1 "k8s.io/api/events/v1"
)

func TestTheLogNamesAnEventWithoutItsMessage(t *testing.T) {
	t.Parallel()
	var lines []string
	inner := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})
	logger := logr.New(sink{inner.GetSink()}).WithName("events")
	event := &eventsv1.Event{Note: "the card number is 4711"}
	event.Namespace, event.Name = "team", "job.1"
	logger.Error(errors.New("refused"), "Server rejected event", "event", event)
	logger.Info("Server rejected event", "err", "refused", "event", event)
	logger.WithValues("event", event).Info("Server rejected event", "err", "refused")
	for _, line := range lines {
		if strings.Contains(line, "4711") || !strings.Contains(line, "job.1") || !strings.Contains(line, "refused") {
			t.Errorf("logged %s, want the Event's name without its note", line)
		}
	}
	if len(lines) != 3 {
		t.Errorf("logged %d lines, want 3", len(lines))
	}
}
