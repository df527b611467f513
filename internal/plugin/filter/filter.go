// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package filter selects errors by what a person asks for.
package filter

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/workload"
	"joberror.io/operator/internal/retry"
)

// Filter selects errors. A field that is empty selects all.
type Filter struct {
	// Job is the name or the UID of a Job.
	Job string
	// Codes and Classes hold the allowed values.
	Codes, Classes []string
	// OnlyOpen drops errors that are resolved.
	OnlyOpen bool
	// SeenSince drops errors that were seen last before it.
	SeenSince time.Time
}

// Fields returns what the API server can select.
func (f Filter) Fields() client.MatchingFields {
	fields := client.MatchingFields{}
	if f.OnlyOpen {
		fields["spec.resolved"] = "false"
	}
	if len(f.Codes) == 1 && f.Codes[0] != "" {
		fields["spec.code"] = f.Codes[0]
	}
	return fields
}

// Matches reports whether the filter selects an error that was seen last at this time.
func (f Filter) Matches(je *joberrorv1.JobError, lastSeen time.Time) bool {
	return (f.Job == "" || BelongsTo(je, f.Job)) &&
		(len(f.Codes) == 0 || slices.Contains(f.Codes, je.Spec.Code)) &&
		(len(f.Classes) == 0 || slices.Contains(f.Classes, je.Labels[joberrorv1.LabelClass])) &&
		(!f.OnlyOpen || !je.Spec.Resolved) &&
		!lastSeen.Before(f.SeenSince)
}

// BelongsTo reports whether an error belongs to the Job with this name or UID, or to one of its
// retries.
func BelongsTo(je *joberrorv1.JobError, id string) bool {
	job := workload.JobOf(je)
	first := retry.LineageOfGone(job.Name, job.UID, job.Root)
	return slices.Contains([]string{je.Spec.JobID, job.Name, string(job.UID), first.Base, string(first.Root)}, id)
}

// ParseAge parses an age: a number with a unit, such as 90m, 24h, 7d or 2w.
func ParseAge(value string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		number, ok := strings.CutSuffix(value, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64/int64(length) {
			return 0, invalidAge(value)
		}
		return time.Duration(n) * length, nil
	}
	age, err := time.ParseDuration(value)
	if err != nil || age <= 0 {
		return 0, invalidAge(value)
	}
	return age, nil
}

func invalidAge(value string) error {
	return fmt.Errorf("%q must be a number with a unit, such as 90m, 24h, 7d or 2w", value)
}
