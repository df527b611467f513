// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/conditions"
	"joberror.io/operator/internal/failure"
)

const (
	retention = 30 * 24 * time.Hour
	// expiryMargin keeps the oldest error from expiring while a person looks at it.
	expiryMargin = 12 * time.Hour
)

// people resolve errors.
var people = []string{"ann@example.com", "ben@example.com", "chidi@example.com"}

// generator makes up errors of the last 30 days.
type generator struct {
	random *rand.Rand
	now    time.Time
	// namespaces holds the UIDs of the namespaces, which own the errors.
	namespaces map[string]types.UID
	// jobs holds the UIDs of the Jobs. Every Job was deleted.
	jobs map[string]types.UID
	n    int
}

func newGenerator(now time.Time, namespaces map[string]types.UID) *generator {
	// The same numbers each time make the same cluster.
	return &generator{random: rand.New(rand.NewPCG(1, 2)), now: now.Truncate(time.Second), namespaces: namespaces, jobs: map[string]types.UID{}}
}

// next returns another error as the operator would have stored it.
func (g *generator) next() *joberrorv1.JobError {
	w := g.workload()
	c := w.causes[int(math.Pow(g.random.Float64(), 2)*float64(len(w.causes)))]
	at, job := g.run(w)
	g.n++
	je := &joberrorv1.JobError{
		TypeMeta: metav1.TypeMeta{APIVersion: joberrorv1.GroupVersion.String(), Kind: "JobError"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.namespace, UID: uuid.NewUUID(), Generation: 1, CreationTimestamp: metav1.NewTime(at),
			Labels: map[string]string{joberrorv1.LabelClass: c.class, joberrorv1.LabelJobName: job, joberrorv1.LabelJobUID: string(g.uidOf(w.namespace, job))},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Namespace", Name: w.namespace, UID: g.namespaces[w.namespace],
			}},
		},
		Spec: joberrorv1.JobErrorSpec{
			JobID: job, UserID: attribution.OperatorUser, CreatedAt: at.UTC().Format(time.RFC3339), Code: c.code, Source: g.source(job, c), Message: g.message(c),
		},
	}
	je.Name = failure.ErrorName(job, g.uidOf(w.namespace, job), strconv.Itoa(g.n))
	if c.class != joberrorv1.ClassData {
		je.Labels[joberrorv1.LabelCaptured] = joberrorv1.Captured
	}
	if w.every > 0 {
		je.Labels[joberrorv1.LabelCronJobName] = w.name
	}
	g.setStatus(je, w, at, job)
	return je
}

// workload returns a workload, the heavy ones more often.
func (g *generator) workload() workload {
	total := 0
	for _, w := range workloads {
		total += w.weight
	}
	left := g.random.IntN(total)
	for _, w := range workloads {
		if left -= w.weight; left < 0 {
			return w
		}
	}
	return workloads[0]
}

// run returns when a run failed, and the name of its Job.
func (g *generator) run(w workload) (at time.Time, job string) {
	longest := retention - expiryMargin
	span := min(time.Duration(w.days*24*float64(time.Hour)), longest)
	share := g.random.Float64()
	switch w.course {
	case growing:
		share = math.Sqrt(share)
	case outage:
		share *= 6 * float64(time.Hour) / float64(span)
	case fixed:
		share *= 0.4
	case steady:
	}
	at = g.now.Add(-span).Add(time.Duration(share * float64(span)))
	if w.every == 0 {
		return at.Truncate(time.Second), fmt.Sprintf("%s-%s", w.name, at.UTC().Format("0102"))
	}
	// The CronJob's controller puts the minutes since 1970 into the name of a Job.
	scheduled := at.Truncate(w.every)
	if scheduled.Before(g.now.Add(-longest)) {
		scheduled = scheduled.Add(w.every)
	}
	at = scheduled.Add(time.Duration(g.random.IntN(600)) * time.Second)
	if at.After(g.now) {
		at = g.now
	}
	return at, fmt.Sprintf("%s-%d", w.name, scheduled.Unix()/60)
}

func (g *generator) uidOf(namespace, job string) types.UID {
	key := namespace + "/" + job
	if g.jobs[key] == "" {
		g.jobs[key] = uuid.NewUUID()
	}
	return g.jobs[key]
}

// source returns the source of an error: the pod and its container, the pod, or what reported it.
func (g *generator) source(job string, c cause) string {
	if c.class == joberrorv1.ClassData || c.container == "job" {
		return c.container
	}
	pod := fmt.Sprintf("%s-%05x", job, g.random.IntN(1<<20))
	if c.container == "" {
		return pod
	}
	return pod + "/" + c.container
}

func (g *generator) message(c cause) string {
	if !strings.Contains(c.message, "%d") {
		return c.message
	}
	return fmt.Sprintf(c.message, 1+g.random.IntN(900))
}

// setStatus sets the status that the operator would have written.
func (g *generator) setStatus(je *joberrorv1.JobError, w workload, at time.Time, job string) {
	first, last := metav1.NewTime(at), metav1.NewTime(at)
	occurrences := 1 + int32(g.random.ExpFloat64()*1.5)
	if end := at.Add(time.Duration(occurrences-1) * time.Minute); end.Before(g.now) {
		last = metav1.NewTime(end)
	}
	expires := metav1.NewTime(at.Add(retention))
	je.Status = joberrorv1.JobErrorStatus{
		ObservedGeneration: je.Generation, RetryID: last.UTC().Format(metav1.RFC3339Micro), ExpiresAt: &expires,
		Job:         &joberrorv1.JobReference{Name: job, UID: g.uidOf(w.namespace, job)},
		Occurrences: occurrences, FirstSeen: &first, LastSeen: &last,
	}
	conditions.Set(&je.Status.Conditions, je.Generation, at, joberrorv1.ConditionLinked, metav1.Condition{
		Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonJobDeleted, Message: fmt.Sprintf("Job %s was deleted; the error is kept until it expires", job),
	})
	resolved := metav1.Condition{Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonOpen, Message: "nobody has resolved the error yet"}
	if by, reason := g.resolvedBy(w, at); by != "" {
		je.Spec.Resolved, je.Status.ResolvedBy = true, by
		end := metav1.NewTime(last.Add(time.Duration((0.05 + 0.9*g.random.Float64()) * float64(g.now.Sub(last.Time)))).Truncate(time.Second))
		if reason == joberrorv1.ReasonJobSucceeded && end.Sub(last.Time) > 24*time.Hour {
			end = metav1.NewTime(last.Add(24 * time.Hour))
		}
		je.Status.ResolvedAt = &end
		resolved = metav1.Condition{Status: metav1.ConditionTrue, Reason: reason, Message: "resolved by " + by}
		if reason == joberrorv1.ReasonJobSucceeded {
			resolved.Message = fmt.Sprintf("resolved: Job %s-%d succeeded", w.name, end.Unix()/60)
		}
		at = end.Time
	}
	conditions.Set(&je.Status.Conditions, je.Generation, at, joberrorv1.ConditionResolved, resolved)
}

// resolvedBy returns who resolved an error, and why; nothing if it is open.
func (g *generator) resolvedBy(w workload, at time.Time) (by, reason string) {
	person := people[g.random.IntN(len(people))]
	luck := g.random.Float64()
	switch {
	case w.course == fixed:
		return person, joberrorv1.ReasonSetByUser
	case w.course == steady && (g.now.Sub(at) > 36*time.Hour && luck < 0.97 || luck < 0.5):
		return attribution.OperatorUser, joberrorv1.ReasonJobSucceeded
	case w.course == outage && luck < 0.7:
		return person, joberrorv1.ReasonSetByUser
	}
	return "", ""
}
