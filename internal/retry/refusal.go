// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/owner"
)

// Refusal says why a Job does not run again.
type Refusal struct {
	// Code is the HTTP status of an endpoint that refuses the request.
	Code int32
	// Message names the field or the object, and the rule.
	Message string
}

// reasons holds the reason of each code, as the API server's own answers have it.
var reasons = map[int32]metav1.StatusReason{
	http.StatusBadRequest: metav1.StatusReasonBadRequest, http.StatusForbidden: metav1.StatusReasonForbidden,
	http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusConflict: metav1.StatusReasonConflict,
	http.StatusGone: metav1.StatusReasonGone, http.StatusUnprocessableEntity: metav1.StatusReasonInvalid,
	http.StatusTooManyRequests: metav1.StatusReasonTooManyRequests,
}

// Reason returns the reason of the refusal, in the status of an answer and in the conditions of
// a JobErrorRetry.
func (r Refusal) Reason() metav1.StatusReason { return reasons[r.Code] }

// RefusalIn returns the refusal that a JobErrorRetry ended with; nil if it was not refused.
func RefusalIn(jet *joberrorv1.JobErrorRetry) *Refusal {
	condition := meta.FindStatusCondition(jet.Status.Conditions, joberrorv1.ConditionComplete)
	if condition == nil || condition.Status != metav1.ConditionTrue {
		return nil
	}
	for code, reason := range reasons {
		if condition.Reason == string(reason) {
			return &Refusal{code, condition.Message}
		}
	}
	return nil
}

// Facts hold what the decision about a retry depends on.
type Facts struct {
	Spec *joberrorv1.JobErrorRetrySpec
	// Failed is the Job to run again; nil if it is gone.
	Failed *batchv1.Job
	// Template is the template to run; nil if none is left.
	Template *batchv1.JobTemplateSpec
	// CronJob is the CronJob of the Job; nil if it has none, or it is gone.
	CronJob *batchv1.CronJob
	// Lineage holds the retries of the same Job that still exist, and Runs the Jobs of the
	// same CronJob.
	Lineage, Runs []*batchv1.Job
	// Requested is when the retry was requested; zero if it is not stored yet. Ended holds
	// how the other retries of the same Job have ended.
	Requested time.Time
	Ended     []EndedRetry
	// Attempts is the number of retries that the lineage has had, and MaxAttempts the limit;
	// 0 is unlimited.
	Attempts, MaxAttempts int32
}

// EndedRetry is a retry whose Job has ended.
type EndedRetry struct {
	// Job is the name of the Job.
	Job string
	At  time.Time
}

// rules hold the reasons to refuse a retry. The first that returns a message applies.
var rules = []struct {
	code    int32
	problem func(Facts) string
}{
	{http.StatusUnprocessableEntity, manualSelector},
	{http.StatusUnprocessableEntity, controlledByOther},
	{http.StatusConflict, stillActive},
	{http.StatusConflict, retryActive},
	{http.StatusConflict, endedSince},
	{http.StatusConflict, runActive},
	{http.StatusTooManyRequests, tooManyAttempts},
	{http.StatusUnprocessableEntity, noCronJob},
	{http.StatusGone, noTemplate},
	{http.StatusUnprocessableEntity, unknownContainer},
	{http.StatusUnprocessableEntity, reservedVariable},
}

// Refuse returns the reason to refuse a retry, or nil.
func Refuse(f Facts) *Refusal {
	for _, rule := range rules {
		if message := rule.problem(f); message != "" {
			return &Refusal{rule.code, message}
		}
	}
	return nil
}

func manualSelector(f Facts) string {
	if f.Failed == nil || f.Failed.Spec.ManualSelector == nil || !*f.Failed.Spec.ManualSelector {
		return ""
	}
	return fmt.Sprintf("Job %s has spec.manualSelector: a second Job with its selector would take over its pods", f.Failed.Name)
}

func controlledByOther(f Facts) string {
	if f.Failed == nil || owner.CronJob(f.Failed) != "" {
		return ""
	}
	controller := metav1.GetControllerOf(f.Failed)
	if controller == nil {
		return ""
	}
	return fmt.Sprintf("Job %s is controlled by %s %s: retry it there", f.Failed.Name, controller.Kind, controller.Name)
}

func stillActive(f Facts) string {
	if f.Failed == nil || ended(f.Failed) {
		return ""
	}
	return fmt.Sprintf("Job %s has not ended", f.Failed.Name)
}

func retryActive(f Facts) string {
	for _, job := range f.Lineage {
		if !ended(job) {
			return fmt.Sprintf("a retry is under way: Job %s has not ended", job.Name)
		}
	}
	return ""
}

// endedSince refuses a request that waited while another retry ran. Whoever made it has not seen
// how that retry ended.
func endedSince(f Facts) string {
	for _, e := range f.Ended {
		if !f.Requested.IsZero() && e.At.After(f.Requested) {
			return fmt.Sprintf("another retry was faster: Job %s ended after this request was made; if its result is not enough, request a retry again", e.Job)
		}
	}
	return ""
}

func runActive(f Facts) string {
	if f.CronJob == nil || f.CronJob.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
		return ""
	}
	for _, job := range f.Runs {
		if !ended(job) {
			return fmt.Sprintf("CronJob %s forbids concurrent runs, and Job %s has not ended", f.CronJob.Name, job.Name)
		}
	}
	return ""
}

func tooManyAttempts(f Facts) string {
	if f.MaxAttempts == 0 || f.Attempts < f.MaxAttempts {
		return ""
	}
	return fmt.Sprintf("the Job was retried %d times, which is the limit (--max-retries)", f.Attempts)
}

func noCronJob(f Facts) string {
	if f.Spec.Template != joberrorv1.RetryCurrent || f.CronJob != nil {
		return ""
	}
	return "spec.template: Current needs a CronJob, and the Job has none; use Original"
}

func noTemplate(f Facts) string {
	if f.Template != nil {
		return ""
	}
	return fmt.Sprintf("job %s is gone, and no template of it is left", f.Spec.JobID)
}

func unknownContainer(f Facts) string {
	unknown := unknownContainers(&f.Template.Spec.Template.Spec, f.Spec.Set)
	if len(unknown) == 0 {
		return ""
	}
	return fmt.Sprintf("spec.set: the template has no container %s", strings.Join(unknown, ", "))
}

func reservedVariable(f Facts) string {
	for i, o := range f.Spec.Set {
		for j := range o.Env {
			if o.Env[j].Name == EnvRetryOf {
				return fmt.Sprintf("spec.set[%d].env[%d].name: the operator sets %s, because a retry reads the errors of that Job", i, j, EnvRetryOf)
			}
		}
	}
	return ""
}

func ended(job *batchv1.Job) bool { return EndingOf(job).Ended }
