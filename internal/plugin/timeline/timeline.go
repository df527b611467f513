// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package timeline puts what happened to a Job and its retries in order.
package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/group"
	"joberror.io/operator/internal/plugin/progress"
)

// Mood says how an event is shown.
type Mood int

// The moods.
const (
	Neutral Mood = iota
	Bad
	Good
)

// Event is one thing that happened.
type Event struct {
	At   time.Time
	Mood Mood
	// Title is one line, and Details are lines below it.
	Title   string
	Details []string
}

// Records holds what is known about a Job and its retries.
type Records struct {
	Jobs        []batchv1.Job
	Errors      []joberrorv1.JobError
	Resolutions []joberrorv1.JobErrorResolution
	Retries     []joberrorv1.JobErrorRetry
}

// Events returns what happened, in order of time.
func Events(r Records) []Event {
	var events []Event
	for i := range r.Jobs {
		events = append(events, runs(&r.Jobs[i])...)
	}
	events = append(events, failures(r.Errors)...)
	for i := range r.Resolutions {
		events = append(events, resolution(&r.Resolutions[i]))
	}
	events = append(events, resolvedAlone(r)...)
	for i := range r.Retries {
		events = append(events, retries(&r.Retries[i])...)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events
}

// runs returns the start and the end of a Job.
func runs(job *batchv1.Job) []Event {
	started := Event{At: job.CreationTimestamp.Time, Title: "job/" + job.Name + " was created"}
	if job.Status.StartTime != nil {
		started.At, started.Title = job.Status.StartTime.Time, "job/"+job.Name+" started"
	}
	events := []Event{started}
	for _, c := range job.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobFailed:
			events = append(events, Event{At: c.LastTransitionTime.Time, Mood: Bad, Title: "job/" + job.Name + " failed" + because(c.Reason, c.Message)})
		case batchv1.JobComplete:
			events = append(events, Event{At: c.LastTransitionTime.Time, Mood: Good, Title: "job/" + job.Name + " succeeded"})
		}
	}
	return events
}

func because(reason, message string) string {
	switch message = group.OneLine(message); {
	case reason != "" && message != "":
		return ": " + reason + ": " + message
	case reason+message != "":
		return ": " + reason + message
	}
	return ""
}

// maxAlike limits how many errors with the same Job and code are shown one by one.
const maxAlike = 3

func failures(errs []joberrorv1.JobError) []Event {
	type kind struct{ job, code string }
	alike := map[kind][]*joberrorv1.JobError{}
	var kinds []kind
	for i := range errs {
		k := kind{group.ItemOf(&errs[i]).Job.Name, errs[i].Spec.Code}
		if alike[k] == nil {
			kinds = append(kinds, k)
		}
		alike[k] = append(alike[k], &errs[i])
	}
	var events []Event
	for _, k := range kinds {
		if len(alike[k]) > maxAlike {
			events = append(events, many(k.job, alike[k]))
			continue
		}
		for _, je := range alike[k] {
			events = append(events, failure(je))
		}
	}
	return events
}

// failure returns the event of one error, at the time when it was first seen.
func failure(je *joberrorv1.JobError) Event {
	item := group.ItemOf(je)
	title := fmt.Sprintf("%s: joberror/%s of job/%s", cmp.Or(item.Code, "error"), je.Name, item.Job.Name)
	facts := []string{state(je)}
	if item.Class != "" {
		facts = append([]string{item.Class}, facts...)
	}
	if item.Occurrences > 1 {
		facts = append(facts, fmt.Sprintf("%s times, last at %s", progress.Number(item.Occurrences), Time(item.Last)))
	}
	e := Event{At: item.First, Mood: Bad, Title: title + " (" + strings.Join(facts, ", ") + ")", Details: LastWords(je.Spec.Message)}
	if je.Spec.Resolved {
		e.Mood = Neutral
	}
	return e
}

func state(je *joberrorv1.JobError) string {
	switch c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved); {
	case je.Spec.Resolved:
		return "resolved"
	case c != nil && c.Reason == joberrorv1.ReasonReopened:
		return "open again"
	}
	return "open"
}

// many returns one event for many errors with the same Job and code, at the time of the last one.
func many(job string, errs []*joberrorv1.JobError) Event {
	newest, open := group.ItemOf(errs[0]), 0
	message := errs[0].Spec.Message
	for _, je := range errs {
		item := group.ItemOf(je)
		if item.Last.After(newest.Last) {
			newest, message = item, je.Spec.Message
		}
		if !item.Resolved {
			open++
		}
	}
	e := Event{
		At: newest.Last, Mood: Bad, Details: LastWords(message),
		Title: fmt.Sprintf("%s: %s errors of job/%s (%s open), the last one is joberror/%s",
			cmp.Or(newest.Code, "error"), progress.Number(int64(len(errs))), job, progress.Number(int64(open)), newest.Name),
	}
	if open == 0 {
		e.Mood = Neutral
	}
	return e
}

func resolution(jer *joberrorv1.JobErrorResolution) Event {
	verb, mood := "resolved", Good
	if !jer.Spec.WantsResolved() {
		verb, mood = "reopened", Neutral
	}
	s := jer.Status
	text := fmt.Sprintf("%s %s of %s", verb, progress.Number(int64(s.Updated)), progress.Count(int64(s.Matched), "error"))
	if s.Failed > 0 {
		text += fmt.Sprintf(", %s failed", progress.Number(int64(s.Failed)))
		mood = Bad
	}
	if !meta.IsStatusConditionTrue(jer.Status.Conditions, joberrorv1.ConditionComplete) {
		text += " so far"
	}
	at := jer.CreationTimestamp.Time
	if s.CompletedAt != nil {
		at = s.CompletedAt.Time
	}
	return Event{At: at, Mood: mood, Title: text + by(jer.Spec.RequestedBy) + reason(jer.Spec.Reason) + " (joberrorresolution/" + jer.Name + ")"}
}

func by(user string) string {
	if user = group.OneLine(user); user == "" {
		return ""
	}
	return " by " + user
}

func reason(text string) string {
	if text = group.OneLine(text); text == "" {
		return ""
	}
	return ": " + text
}

// resolvedAlone returns the resolutions of errors without a JobErrorResolution that is shown:
// by a patch, or by the operator. Those at the same second with the same cause are one event.
func resolvedAlone(r Records) []Event {
	shown := map[string]bool{}
	for _, jer := range r.Resolutions {
		shown[jer.Name] = true
	}
	type kind struct {
		at         int64
		by, reason string
	}
	alike := map[kind][]*joberrorv1.JobError{}
	var kinds []kind
	for i := range r.Errors {
		je := &r.Errors[i]
		if !je.Spec.Resolved || je.Status.ResolvedAt == nil || shown[je.Status.Resolution] {
			continue
		}
		k := kind{at: je.Status.ResolvedAt.Unix(), by: je.Status.ResolvedBy}
		if c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved); c != nil {
			k.reason = c.Reason
		}
		if alike[k] == nil {
			kinds = append(kinds, k)
		}
		alike[k] = append(alike[k], je)
	}
	var events []Event
	for _, k := range kinds {
		what := "joberror/" + alike[k][0].Name
		if n := len(alike[k]); n > 1 {
			what = fmt.Sprintf("%s errors", progress.Number(int64(n)))
		}
		title := what + " resolved" + by(k.by)
		if k.reason != "" {
			title += " (" + k.reason + ")"
		}
		events = append(events, Event{At: time.Unix(k.at, 0), Mood: Good, Title: title})
	}
	return events
}

// retries returns the request of a retry, and its result.
func retries(jet *joberrorv1.JobErrorRetry) []Event {
	title := "retry requested" + by(jet.Spec.RequestedBy) + reason(jet.Spec.Reason)
	if jet.Status.Job != nil {
		title += fmt.Sprintf(" (joberrorretry/%s, attempt %d, job/%s)", jet.Name, jet.Status.Attempt, jet.Status.Job.Name)
	} else {
		title += " (joberrorretry/" + jet.Name + ")"
	}
	events := []Event{{At: jet.CreationTimestamp.Time, Title: title}}
	c := meta.FindStatusCondition(jet.Status.Conditions, joberrorv1.ConditionSucceeded)
	if c == nil || c.Status == metav1.ConditionUnknown {
		return events
	}
	ended := Event{At: c.LastTransitionTime.Time}
	if jet.Status.CompletedAt != nil {
		ended.At = jet.Status.CompletedAt.Time
	}
	if c.Status == metav1.ConditionTrue {
		ended.Mood, ended.Title = Good, fmt.Sprintf("retry succeeded, and resolved %s (joberrorretry/%s)", progress.Count(int64(jet.Status.Resolved), "error"), jet.Name)
	} else {
		ended.Mood, ended.Title = Bad, "retry did not succeed"+because(c.Reason, c.Message)
	}
	return append(events, ended)
}

const (
	// maxLines and maxLineWidth limit the last words of an error.
	maxLines     = 8
	maxLineWidth = 160
)

// LastWords returns the last lines of a message, each cut to maxLineWidth.
func LastWords(message string) []string {
	var lines []string
	for line := range strings.Lines(message) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, group.Cut(line, maxLineWidth))
		}
	}
	if left := len(lines) - maxLines; left > 0 {
		lines = append([]string{fmt.Sprintf("… %d more lines", left+1)}, lines[left+1:]...)
	}
	return lines
}

// Time formats a time for people, in the local time zone.
func Time(at time.Time) string { return at.Local().Format(time.DateTime) }

// Gone returns the names of the Jobs that were deleted, and of those that errors name but that
// never existed while the operator looked. Both lists are sorted.
func Gone(r Records) (deleted, unknown []string) {
	exists := map[types.UID]bool{}
	names := map[string]bool{}
	for _, job := range r.Jobs {
		exists[job.UID], names[job.Name] = true, true
	}
	for i := range r.Errors {
		job := group.ItemOf(&r.Errors[i]).Job
		switch {
		case job.UID != "" && !exists[job.UID]:
			deleted = append(deleted, job.Name)
		case job.UID == "" && !names[job.Name]:
			unknown = append(unknown, job.Name)
		}
	}
	return sortedUnique(deleted), sortedUnique(unknown)
}

func sortedUnique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
