// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package logs keeps what errors say out of the operator's log: whoever may read
// that need not have the right to read them.
package logs

import (
	"slices"

	"github.com/go-logr/logr"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/klog/v2"
)

// New is the logger of all parts.
func New() logr.Logger { return logr.New(sink{klog.Background().GetSink()}) }

// sink passes on what it gets, but for whole Events: the library logs one that
// the API server refuses, with the message in it.
type sink struct{ logr.LogSink }

func (s sink) Info(level int, message string, values ...any) {
	s.LogSink.Info(level, message, discreet(values)...)
}

func (s sink) Error(err error, message string, values ...any) {
	s.LogSink.Error(err, message, discreet(values)...)
}

func (s sink) WithValues(values ...any) logr.LogSink {
	return sink{s.LogSink.WithValues(discreet(values)...)}
}

func (s sink) WithName(name string) logr.LogSink { return sink{s.LogSink.WithName(name)} }

// discreet names Events in the place of them.
func discreet(values []any) []any {
	i := slices.IndexFunc(values, func(value any) bool { _, is := value.(*eventsv1.Event); return is })
	if i < 0 {
		return values
	}
	values = slices.Clone(values)
	values[i] = klog.KObj(values[i].(*eventsv1.Event))
	return values
}
