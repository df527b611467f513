// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"fmt"

	"github.com/prometheus/common/model"
	batchv1 "k8s.io/api/batch/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Reasons of the Events about a Job's annotations that are not honored.
const (
	ReasonInvalid           = "InvalidRetention"
	ReasonTooShort          = "RetentionTooShort"
	ReasonCascadeNotAllowed = "CascadeNotAllowed"
)

// Refusal says which annotation of a Job is not honored, and what applies instead.
type Refusal struct{ Reason, Message string }

// Cascades reports whether a Job's errors are deleted with it.
func (p Policy) Cascades(job *batchv1.Job) bool { return p.AllowCascade && requestsCascade(job) }

func requestsCascade(job *batchv1.Job) bool {
	return job != nil && job.Annotations[joberrorv1.AnnotationDeletionPolicy] == joberrorv1.DeletionPolicyCascade
}

// Refusals returns what the policy does not honor: of the retention that a Job requests, and
// of its deletion policy. The Job is nil if it is gone.
func (p Policy) Refusals(own string, job *batchv1.Job) []Refusal {
	var refusals []Refusal
	if d, err := Parse(own); own != "" && err != nil {
		refusals = append(refusals, Refusal{ReasonInvalid, err.Error()})
	} else if own != "" && d < p.Min {
		refusals = append(refusals, Refusal{ReasonTooShort, fmt.Sprintf("annotation %s: %s is shorter than the minimum, so the minimum of %s applies",
			joberrorv1.AnnotationRetention, own, model.Duration(p.Min))})
	}
	if requestsCascade(job) && !p.AllowCascade {
		refusals = append(refusals, Refusal{ReasonCascadeNotAllowed, fmt.Sprintf("annotation %s: %s has no effect, because the operator runs without --allow-cascade",
			joberrorv1.AnnotationDeletionPolicy, joberrorv1.DeletionPolicyCascade)})
	}
	return refusals
}
