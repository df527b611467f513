// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// withLinkReason returns a function that reports whether an error's Linked condition has
// this reason.
func withLinkReason(reason string) func(*joberrorv1.JobError) bool {
	return func(je *joberrorv1.JobError) bool {
		return harness.Reason(je.Status.Conditions, joberrorv1.ConditionLinked) == reason
	}
}

func TestErrorSurvivesItsJob(t *testing.T) {
	t.Parallel()
	for _, policy := range []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			job := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
			harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
			je := cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobFound))
			if got := harness.OwnerKinds(je); !slices.Equal(got, []string{"Job", "Namespace"}) {
				t.Fatalf("owner kinds = %v, want Job and Namespace", got)
			}
			for _, o := range je.OwnerReferences {
				if o.Controller != nil || o.BlockOwnerDeletion != nil {
					t.Errorf("owner %s is a controller or blocks its deletion", o.Kind)
				}
			}
			if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy(policy)); err != nil {
				t.Fatal(err)
			}
			je = cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool {
				return withLinkReason(joberrorv1.ReasonJobDeleted)(je) && slices.Equal(harness.OwnerKinds(je), []string{"Namespace"})
			})
			if je.Status.Job == nil || je.Status.Job.Name != "job" || je.Status.Job.UID != job.UID || je.Labels[joberrorv1.LabelJobName] != "job" {
				t.Errorf("status.job = %+v, labels = %v, want them to still name the Job", je.Status.Job, je.Labels)
			}
			err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(job), job)
			if !apierrors.IsNotFound(err) {
				t.Errorf("get the deleted Job: error = %v, want NotFound", err)
			}
		})
	}
}

func TestErrorSurvivesAFailedJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobDeleted))
}

func TestLinksAJobCreatedLater(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "early", "job"))
	cluster.WaitFor(t, ns, "early", withLinkReason(joberrorv1.ReasonJobNotFound))
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	je := cluster.WaitFor(t, ns, "early", withLinkReason(joberrorv1.ReasonJobFound))
	if je.Status.Job.UID != job.UID || len(je.OwnerReferences) != 2 || je.Labels[joberrorv1.LabelJobName] != "job" {
		t.Errorf("status.job = %+v, owners = %v, labels = %v, want a link to the Job", je.Status.Job, je.OwnerReferences, je.Labels)
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "by-uid", string(job.UID)))
	if je := cluster.WaitFor(t, ns, "by-uid", withLinkReason(joberrorv1.ReasonJobFound)); je.Status.Job.Name != "job" {
		t.Errorf("status.job = %+v, want the Job job", je.Status.Job)
	}
}

func TestDoesNotConfuseJobsWithTheSameName(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	first := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "of-first", "job"))
	cluster.WaitFor(t, ns, "of-first", withLinkReason(joberrorv1.ReasonJobFound))
	if err := cluster.Client.Delete(t.Context(), first, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "of-first", withLinkReason(joberrorv1.ReasonJobDeleted))
	second := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "of-second", "job"))
	je := cluster.WaitFor(t, ns, "of-second", withLinkReason(joberrorv1.ReasonJobFound))
	if je.Status.Job.UID != second.UID {
		t.Errorf("status.job.uid = %s, want %s", je.Status.Job.UID, second.UID)
	}
	// A change of the second Job makes the operator reconcile both errors.
	if err := cluster.Client.Patch(t.Context(), second, harness.MergePatch(`{"metadata":{"annotations":{"joberror.io/retention":"7d"}}}`)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "of-second", func(je *joberrorv1.JobError) bool { return je.Status.Job.Retention == "7d" })
	je = cluster.WaitObserved(t, ns, "of-first")
	if je.Status.Job.UID != first.UID || harness.HasOwner(je, second.UID) || !withLinkReason(joberrorv1.ReasonJobDeleted)(je) {
		t.Errorf("status.job = %+v, owners = %v, want a link to the first, deleted Job", je.Status.Job, je.OwnerReferences)
	}
}

func TestNamespaceDeletionDeletesItsErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "r", "job"))
	cluster.WaitCompleted(t, ns, "r")
	if err := cluster.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		t.Fatal(err)
	}
	waitDeleted(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
}

func TestEmitsEventsOnJobsAndErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Annotated(joberrorv1.AnnotationRetention, "soon")))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "f", "job"))
	cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobFound))
	if err := cluster.Client.Patch(t.Context(), harness.JobError(ns, "e", "job"), harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "rest", "job"))
	for object, want := range map[string][]string{
		"job/job":    {"ErrorRecorded", "InvalidRetention", "ErrorsResolved", "1 errors resolved by admin with JobErrorResolution rest"},
		"joberror/e": {"Resolved", "resolved by admin"},
	} {
		harness.Eventually(t, func() string {
			out, err := cluster.Run(t.Context(), nil, "events", "-n", ns, "--for", object)
			return missing(out, err, want...)
		})
	}
}

// waitDeleted waits until an object is deleted.
func waitDeleted(t *testing.T, obj client.Object) {
	t.Helper()
	start := time.Now()
	harness.Eventually(t, func() string {
		err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj)
		if apierrors.IsNotFound(err) {
			return ""
		}
		return obj.GetName() + " still exists after " + time.Since(start).String()
	})
}
