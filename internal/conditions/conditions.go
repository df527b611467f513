// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package conditions sets the conditions of an object at a given time.
package conditions

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Set sets the condition of this type for an object with this generation. The
// transition time becomes now only if the condition's status changes.
func Set(conditions *[]metav1.Condition, generation int64, now time.Time, conditionType string, c metav1.Condition) {
	c.Type = conditionType
	c.ObservedGeneration = generation
	c.LastTransitionTime = metav1.NewTime(now)
	meta.SetStatusCondition(conditions, c)
}
