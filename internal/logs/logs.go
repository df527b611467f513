// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package logs keeps the messages of errors out of the operator's log. A user who may
// read the log may lack the right to read the errors.
package logs

import (
	"slices"

	"github.com/go-logr/logr"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/klog/v2"
)

// New returns the logger for the whole operator.
func New() logr.Logger { return logr.New(sink{klog.Background().GetSink()}) }

// sink logs the name of an Event in place of the Event. The library logs each Event that
// the API server rejects, including its message.
type sink struct{ logr.LogSink }

func (s sink) Info(level int, message string, values ...any) {
	s.LogSink.Info(level, message, redacted(values)...)
}

func (s sink) Error(err error, message string, values ...any) {
	s.LogSink.Error(err, message, redacted(values)...)
}

func (s sink) WithValues(values ...any) logr.LogSink {
	return sink{s.LogSink.WithValues(redacted(values)...)}
}

func (s sink) WithName(name string) logr.LogSink { return sink{s.LogSink.WithName(name)} }

// redacted returns the values, with the name of an Event in place of the Event.
func redacted(values []any) []any {
	i := slices.IndexFunc(values, func(value any) bool { _, ok := value.(*eventsv1.Event); return ok })
	if i < 0 {
		return values
	}
	values = slices.Clone(values)
	values[i] = klog.KObj(values[i].(*eventsv1.Event))
	return values
}
