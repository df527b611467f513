// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package conditions sets conditions by a given clock.
package conditions

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Set sets a condition of an object of that generation at that time. The time
// counts only where the condition's status changes.
func Set(conditions *[]metav1.Condition, generation int64, now time.Time, name string, c metav1.Condition) {
	c.Type = name
	c.ObservedGeneration = generation
	c.LastTransitionTime = metav1.NewTime(now)
	meta.SetStatusCondition(conditions, c)
}
