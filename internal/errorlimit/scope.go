// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package errorlimit

import joberrorv1 "joberror.io/operator/api/v1"

// Kind is a kind of scope. Its text is a label value of a metric.
type Kind string

// Kinds of scopes. A namespace is the widest.
const (
	CronJob   Kind = "cronjob"
	Job       Kind = "job"
	Namespace Kind = "namespace"
)

// Kinds lists all kinds.
var Kinds = []Kind{CronJob, Job, Namespace}

// Flag returns the name of the flag that sets the limit of this kind, with its dashes.
func (k Kind) Flag() string {
	switch k {
	case CronJob:
		return "--" + flagCronJob
	case Job:
		return "--" + flagJob
	default:
		return "--" + flagNamespace
	}
}

// Scope identifies the JobErrors that share a limit.
type Scope struct {
	Namespace string
	Kind      Kind
	// Name is the name of the CronJob, or what identifies the Job: the UID of the Job that
	// an error is linked to, or the _jobId of an error that is not linked yet. It is empty
	// for a namespace.
	Name string
}

// ScopeOf returns the scope of a namespace.
func ScopeOf(namespace string) Scope { return Scope{Namespace: namespace, Kind: Namespace} }

// ScopesOf returns the scopes of a JobError, the narrower one first. A JobError that is
// being deleted has none, nor has the record of what was deleted because of a limit.
func ScopesOf(je *joberrorv1.JobError) []Scope {
	captured := je.Labels[joberrorv1.LabelCaptured]
	if !je.DeletionTimestamp.IsZero() || captured == joberrorv1.CapturedTrimmed {
		return nil
	}
	namespace := ScopeOf(je.Namespace)
	cronJob := je.Labels[joberrorv1.LabelCronJobName]
	switch {
	case captured == "" && je.Status.Job != nil:
		return []Scope{{je.Namespace, Job, string(je.Status.Job.UID)}, namespace}
	case captured == "":
		return []Scope{{je.Namespace, Job, je.Spec.JobID}, namespace}
	case cronJob != "":
		return []Scope{{je.Namespace, CronJob, cronJob}, namespace}
	default:
		return []Scope{namespace}
	}
}
