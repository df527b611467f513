// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/test/harness"
	"joberror.io/operator/test/soak/ledger"
)

// rowCode is the code of the record that a run of a CronJob reports.
const rowCode = "row"

// keptRuns is how many finished runs a CronJob keeps: more than it has in a round.
const keptRuns = 1000

// cronJob returns a CronJob that runs a Job, and keeps all of its runs.
func cronJob(job *batchv1.Job) *batchv1.CronJob {
	return &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: job.Name},
		Spec: batchv1.CronJobSpec{
			Schedule: "* * * * *", FailedJobsHistoryLimit: ptr.To[int32](keptRuns), SuccessfulJobsHistoryLimit: ptr.To[int32](keptRuns),
			JobTemplate: batchv1.JobTemplateSpec{Spec: job.Spec},
		},
	}
}

// failCronJob starts several runs of a CronJob, as "kubectl create job --from" does. They
// fail, and a later run may succeed and resolve their errors.
func failCronJob(ctx context.Context, a *actor) error {
	exit, code := a.exitCode()
	ns, name := a.namespace(), a.object("")
	template := harness.Job(ns, name, harness.Failing(exit))
	reports := a.maybe()
	if reports {
		template.Spec.Template.Annotations["dev.joberror.io/message"] = fmt.Sprintf(`{"code":%q,"message":"reported by %s"}`, rowCode, name)
	}
	owner := cronJob(template)
	owner.Spec.Suspend = ptr.To(true)
	if err := a.create(ctx, owner); err != nil {
		return err
	}
	var runs []*batchv1.Job
	for i := range a.between(1, 3) {
		run := runOf(owner, fmt.Sprintf("%s-run-%d", name, i))
		if err := a.create(ctx, run); err != nil {
			return err
		}
		runs = append(runs, run)
	}
	var captured []ledger.Error
	for i := range runs {
		run, err := a.awaitJob(ctx, ns, runs[i].Name, batchv1.JobFailed)
		if err != nil {
			return err
		}
		runs[i] = run
		codes := a.failed(run, code)
		for _, c := range codes {
			captured = append(captured, ledger.Error{Namespace: ns, Job: run.Name, Code: c})
		}
		if reports {
			a.ledger.Happened(ledger.Error{Namespace: ns, Job: run.Name, Code: rowCode}, 1)
			a.tally.add("reports", 1)
			codes = append(codes, rowCode)
		}
		if _, err := a.awaitErrors(ctx, ns, run.Name, codes, exists); err != nil {
			return err
		}
	}
	if a.maybe() {
		if err := a.flip(ctx, ns, runs[0].Name, true); err != nil {
			return err
		}
	}
	if a.maybe() {
		if err := a.succeed(ctx, owner, captured); err != nil {
			return err
		}
	}
	if a.maybe() {
		return a.deleteJob(ctx, runs[0])
	}
	return nil
}

// runOf returns a run of a CronJob.
func runOf(owner *batchv1.CronJob, name string) *batchv1.Job {
	run := harness.Job(owner.Namespace, name)
	run.Spec = *owner.Spec.JobTemplate.Spec.DeepCopy()
	metav1.SetMetaDataAnnotation(&run.ObjectMeta, "cronjob.kubernetes.io/instantiate", "manual")
	run.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
	return run
}

// succeed starts a run that succeeds, which resolves the captured errors of the earlier
// runs. An error that is then reopened stays open.
func (a *actor) succeed(ctx context.Context, owner *batchv1.CronJob, captured []ledger.Error) error {
	run := runOf(owner, owner.Name+"-success")
	run.Spec.Template.Annotations = nil
	if err := a.create(ctx, run); err != nil {
		return err
	}
	if _, err := a.awaitJob(ctx, run.Namespace, run.Name, batchv1.JobComplete); err != nil {
		return err
	}
	a.ledger.SetResolved(true, captured...)
	a.tally.add("auto-resolved", len(captured))
	reopened := captured[a.random.IntN(len(captured))]
	if a.maybe() {
		return nil
	}
	list, err := a.awaitErrors(ctx, reopened.Namespace, reopened.Job, []string{reopened.Code}, isResolved)
	if err != nil {
		return err
	}
	for i := range list {
		if je := &list[i]; errorOf(je) == reopened {
			if err := a.patch(ctx, harness.JobError(je.Namespace, je.Name, je.Spec.JobID), reopenPatch); err != nil {
				return err
			}
			a.ledger.SetResolved(false, reopened)
			a.tally.add("reopened", 1)
		}
	}
	return nil
}

// failOnSchedule lets the CronJob controller start runs that fail, until the load ends.
func failOnSchedule(ctx context.Context, a *actor) error {
	exit, code := a.exitCode()
	owner := cronJob(harness.Job(a.namespace(), a.object(""), harness.Failing(exit)))
	if err := a.create(ctx, owner); err != nil {
		return err
	}
	if err := pause(ctx, time.Until(a.ends)); err != nil {
		return err
	}
	if err := a.patch(ctx, owner, `{"spec":{"suspend":true}}`); err != nil {
		return err
	}
	runs, err := a.awaitRuns(ctx, owner)
	if err != nil {
		return err
	}
	for i := range runs {
		a.failed(&runs[i], code)
	}
	return nil
}

// awaitRuns waits until all runs of a suspended CronJob have failed. The CronJob controller
// may start another one before it sees that the CronJob is suspended.
func (a *actor) awaitRuns(ctx context.Context, owner *batchv1.CronJob) ([]batchv1.Job, error) {
	var runs []batchv1.Job
	before := -1
	err := until(ctx, "wait for the runs of CronJob "+owner.Name, func(ctx context.Context) error {
		var list batchv1.JobList
		if err := a.client.List(ctx, &list, client.InNamespace(owner.Namespace)); err != nil {
			return err
		}
		runs = nil
		for i := range list.Items {
			if job := &list.Items[i]; metav1.IsControlledBy(job, owner) {
				if job.Status.Failed == 0 {
					return errors.New(job.Name + " has not failed")
				}
				runs = append(runs, *job)
			}
		}
		if len(runs) != before {
			before = len(runs)
			time.Sleep(quietTime)
			return errors.New("there are more runs")
		}
		return nil
	})
	return runs, err
}
