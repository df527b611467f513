// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"reflect"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

// job returns the Job backup, with its own retention unless that is empty.
func job(own string) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: "1b-job"}}
	if own != "" {
		j.Annotations = map[string]string{joberrorv1.AnnotationRetention: own}
	}
	return j
}

func TestLink(t *testing.T) {
	t.Parallel()
	known := &joberrorv1.JobReference{Name: "backup", UID: "1b-job"}
	for7d := &joberrorv1.JobReference{Name: "backup", UID: "1b-job", Retention: "7d"}
	for _, tc := range []struct {
		name            string
		link            link
		condition       metav1.ConditionStatus
		reason, message string
		reference       *joberrorv1.JobReference
		retention       string
	}{
		{name: "the Job was never seen", link: link{},
			condition: metav1.ConditionFalse, reason: joberrorv1.ReasonJobNotFound, message: "no Job has this name or UID yet"},
		{name: "the Job exists", link: link{job: job("")},
			condition: metav1.ConditionTrue, reason: joberrorv1.ReasonJobFound, message: "Job backup exists", reference: known},
		{name: "the Job has its own retention", link: link{job: job("7d")},
			condition: metav1.ConditionTrue, reason: joberrorv1.ReasonJobFound, message: "Job backup exists", reference: for7d, retention: "7d"},
		{name: "an annotation of the Job is not honored", link: link{job: job("1h"), refusals: []retention.Refusal{{Message: "1h is too short"}, {Message: "no Cascade"}}},
			condition: metav1.ConditionTrue, reason: joberrorv1.ReasonJobFound, message: "Job backup exists; 1h is too short; no Cascade",
			reference: &joberrorv1.JobReference{Name: "backup", UID: "1b-job", Retention: "1h"}, retention: "1h"},
		{name: "the Job's retention changed", link: link{job: job("12h"), known: for7d},
			condition: metav1.ConditionTrue, reason: joberrorv1.ReasonJobFound, message: "Job backup exists",
			reference: &joberrorv1.JobReference{Name: "backup", UID: "1b-job", Retention: "12h"}, retention: "12h"},
		{name: "the Job's retention was removed", link: link{job: job(""), known: for7d},
			condition: metav1.ConditionTrue, reason: joberrorv1.ReasonJobFound, message: "Job backup exists", reference: known},
		{name: "the Job is gone: its retention is remembered", link: link{known: for7d},
			condition: metav1.ConditionFalse, reason: joberrorv1.ReasonJobDeleted, message: "Job backup was deleted", reference: for7d, retention: "7d"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := desiredStatus(jobError(1), tc.link, expiresAt, now)
			c := meta.FindStatusCondition(got.Conditions, joberrorv1.ConditionLinked)
			if c == nil || c.Status != tc.condition || c.Reason != tc.reason || !strings.HasPrefix(c.Message, tc.message) {
				t.Errorf("condition = %+v, want %s %s %q", c, tc.condition, tc.reason, tc.message)
			}
			if !reflect.DeepEqual(got.Job, tc.reference) {
				t.Errorf("status.job = %+v, want %+v", got.Job, tc.reference)
			}
			if got := tc.link.retention(); got != tc.retention {
				t.Errorf("retention = %q, want %q", got, tc.retention)
			}
		})
	}
}

func TestLinkOutlivesTheJob(t *testing.T) {
	t.Parallel()
	je := jobError(1)
	je.Status = desiredStatus(je, link{job: job("7d")}, expiresAt, earlier)

	gone := link{known: je.Status.Job}
	after := desiredStatus(je, gone, expiresAt, now)
	if !reflect.DeepEqual(after.Job, je.Status.Job) {
		t.Errorf("status.job = %+v, want %+v", after.Job, je.Status.Job)
	}
	c := meta.FindStatusCondition(after.Conditions, joberrorv1.ConditionLinked)
	if c.Reason != joberrorv1.ReasonJobDeleted || !c.LastTransitionTime.Time.Equal(now) {
		t.Errorf("condition = %+v, want JobDeleted since %s", c, now)
	}

	je.Status = after
	if again := desiredStatus(je, gone, expiresAt, now.Add(time.Hour)); !equality.Semantic.DeepEqual(again, after) {
		t.Errorf("an unchanged object would be written again: %+v, then %+v", after, again)
	}
}

func TestNothingIsWrittenWhileTheJobExists(t *testing.T) {
	t.Parallel()
	found := link{job: job("7d")}
	je := jobError(1)
	je.Status = desiredStatus(je, found, expiresAt, earlier)
	before := je.Status.DeepCopy()
	found.known = je.Status.Job
	if got := desiredStatus(je, found, expiresAt, now); !equality.Semantic.DeepEqual(&got, before) {
		t.Errorf("status = %+v, want %+v unchanged", got, before)
	}
	if !reflect.DeepEqual(&je.Status, before) {
		t.Errorf("the object itself changed: %+v, was %+v", je.Status, before)
	}
}

func TestEventRefersToTheJobOnlyIfItExists(t *testing.T) {
	t.Parallel()
	if got := (link{known: &joberrorv1.JobReference{Name: "backup"}}).object(); got != nil {
		t.Errorf("object = %v, want none", got)
	}
	if existing := job(""); (link{job: existing}).object() != existing {
		t.Error("object is not the Job")
	}
}
