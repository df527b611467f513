// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/test/soak/ledger"
)

// round is a part of the run that starts and ends without any Jobs and errors.
type round struct {
	*soak
	number     int
	namespaces []string
	// ends is when the load ends. Each piece of work that has begun is completed.
	ends time.Time
}

func (r *round) loadRuns() bool { return time.Now().Before(r.ends) }

func (r *round) run(ctx context.Context, parts []string) error {
	for _, suffix := range []string{"a", "b", "c"} {
		name := fmt.Sprintf("soak-%d-%s", r.number, suffix)
		if err := r.create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
		r.namespaces = append(r.namespaces, name)
	}
	if err := r.work(ctx, parts); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.deleteAll(ctx)
}

// work runs the actors and the faults until the load ends.
func (r *round) work(ctx context.Context, parts []string) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range loads {
		for i := range l.actors {
			a := newActor(r, fmt.Sprintf("%s-%d", l.name, i))
			group.Go(func() error { return a.work(ctx, l.do) })
		}
	}
	group.Go(func() error { return r.breakParts(ctx, parts) })
	return group.Wait()
}

// settle waits until all errors are as expected, and nothing changes any more.
func (r *round) settle(ctx context.Context) error {
	before := ""
	return until(ctx, "wait for the expected errors", func(ctx context.Context) error {
		state, problems, err := r.problems(ctx)
		if err != nil {
			return err
		}
		if len(problems) > 0 {
			return fmt.Errorf("%d of %d expected errors, or others, have problems:\n%s", len(problems), r.ledger.Len(), firstOf(problems))
		}
		if state != before {
			before = state
			time.Sleep(quietTime)
			return errors.New("the errors still change")
		}
		return nil
	})
}

// quietTime is how long nothing must change at the end of a round. Otherwise, a failure that
// is counted twice would be missed.
const quietTime = 3 * time.Second

// collateralCode is the code of failures that the test does not expect and does not count:
// the kill of a part made the API server refuse a pod.
const collateralCode = "FailedCreate"

// problems returns the differences between what exists and what must exist, and a text that
// differs if anything was written.
func (s *soak) problems(ctx context.Context) (state string, problems []string, err error) {
	var list joberrorv1.JobErrorList
	if err := s.client.List(ctx, &list); err != nil {
		return "", nil, err
	}
	var found []ledger.Found
	var versions []string
	for i := range list.Items {
		je := &list.Items[i]
		if je.Spec.Code == collateralCode {
			continue
		}
		versions = append(versions, je.Name+"@"+je.ResourceVersion)
		isResolved := meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
		if je.Status.ObservedGeneration != je.Generation || isResolved != je.Spec.Resolved {
			problems = append(problems, fmt.Sprintf("%s/%s: the status is not up to date", je.Namespace, je.Name))
		}
		found = append(found, ledger.Found{
			Error: errorOf(je), State: ledger.State{Occurrences: int(je.Status.Occurrences), Resolved: je.Spec.Resolved},
		})
	}
	incomplete, err := s.resolutionProblems(ctx)
	if err != nil {
		return "", nil, err
	}
	problems = slices.Concat(problems, incomplete, s.ledger.Problems(found))
	return strings.Join(versions, " "), problems, nil
}

// resolutionProblems returns the resolutions that are not complete, or failed.
func (s *soak) resolutionProblems(ctx context.Context) ([]string, error) {
	var list joberrorv1.JobErrorResolutionList
	if err := s.client.List(ctx, &list); err != nil {
		return nil, err
	}
	var problems []string
	for i := range list.Items {
		if jer := &list.Items[i]; !resolution.IsComplete(jer) || jer.Status.Failed > 0 {
			problems = append(problems, fmt.Sprintf("resolution %s/%s: %+v", jer.Namespace, jer.Name, jer.Status))
		}
	}
	return problems, nil
}

// errorOf returns how the ledger calls an error.
func errorOf(je *joberrorv1.JobError) ledger.Error {
	return ledger.Error{Namespace: je.Namespace, Job: je.Spec.JobID, Code: je.Spec.Code}
}

// deleteAll deletes the namespaces of the round, and checks that no error or resolution is
// left.
func (r *round) deleteAll(ctx context.Context) error {
	for _, name := range r.namespaces {
		if err := r.delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	for _, name := range r.namespaces {
		if err := r.awaitGone(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
		r.ledger.DeletedNamespace(name)
	}
	_, problems, err := r.problems(ctx)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("after the namespaces were deleted:\n%s", firstOf(problems))
	}
	return r.awaitNoMetrics(ctx)
}

// awaitNoMetrics waits until no replica exports a metric of a namespace of the round.
func (r *round) awaitNoMetrics(ctx context.Context) error {
	return until(ctx, "wait until the metrics of deleted namespaces are gone", func(ctx context.Context) error {
		replicas, err := r.replicas(ctx)
		if err != nil {
			return err
		}
		for _, replica := range replicas {
			if name := replica.metricOf(fmt.Sprintf("soak-%d-", r.number)); name != "" {
				return fmt.Errorf("%s exports %s", replica.process.Name, name)
			}
		}
		return nil
	})
}
