// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/test/harness"
)

// create creates an object with a name that nothing else has. If it exists, an earlier
// attempt created it without an answer.
func (s *soak) create(ctx context.Context, obj client.Object) error {
	return until(ctx, fmt.Sprintf("create %T %s", obj, obj.GetName()), func(ctx context.Context) error {
		err := s.client.Create(ctx, obj)
		if apierrors.IsAlreadyExists(err) {
			return s.client.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		}
		return err
	})
}

// delete deletes an object.
func (s *soak) delete(ctx context.Context, obj client.Object) error {
	return until(ctx, fmt.Sprintf("delete %T %s", obj, obj.GetName()), func(ctx context.Context) error {
		err := s.client.Delete(ctx, obj, client.PropagationPolicy(metav1.DeletePropagationBackground))
		if isGone(err, obj) {
			return nil
		}
		return err
	})
}

// awaitGone waits until an object does not exist.
func (s *soak) awaitGone(ctx context.Context, obj client.Object) error {
	return until(ctx, fmt.Sprintf("wait until %T %s is gone", obj, obj.GetName()), func(ctx context.Context) error {
		err := s.client.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		switch {
		case isGone(err, obj):
			return nil
		case err != nil:
			return err
		default:
			return errors.New("it still exists")
		}
	})
}

// isGone reports whether an object does not exist. While the API server starts, it does not
// know every resource and answers 404, too, without the name of the object.
func isGone(err error, obj client.Object) bool {
	var status apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Name == obj.GetName()
}

// patch changes an object.
func (s *soak) patch(ctx context.Context, obj client.Object, body string) error {
	return until(ctx, fmt.Sprintf("patch %T %s", obj, obj.GetName()), func(ctx context.Context) error {
		return s.client.Patch(ctx, obj, harness.MergePatch(body))
	})
}

// awaitJob waits until a condition of a Job is true, and returns the Job.
func (s *soak) awaitJob(ctx context.Context, namespace, name string, condition batchv1.JobConditionType) (*batchv1.Job, error) {
	job := &batchv1.Job{}
	err := until(ctx, fmt.Sprintf("wait until Job %s is %s", name, condition), func(ctx context.Context) error {
		if err := s.client.Get(ctx, harness.Key(namespace, name), job); err != nil {
			return err
		}
		for _, c := range job.Status.Conditions {
			if c.Type == condition && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("it is not")
	})
	return job, err
}

// errorsOf returns the errors of a Job.
func (s *soak) errorsOf(ctx context.Context, namespace, job string) ([]joberrorv1.JobError, error) {
	var list joberrorv1.JobErrorList
	err := s.client.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"spec._jobId": job})
	return list.Items, err
}

// awaitErrors waits until a Job has an error with each of these codes that matches, and
// returns all errors of the Job.
func (s *soak) awaitErrors(ctx context.Context, namespace, job string, codes []string, matches func(*joberrorv1.JobError) bool) ([]joberrorv1.JobError, error) {
	var list []joberrorv1.JobError
	err := until(ctx, fmt.Sprintf("wait for the errors %v of Job %s/%s", codes, namespace, job), func(ctx context.Context) (err error) {
		if list, err = s.errorsOf(ctx, namespace, job); err != nil {
			return err
		}
		for _, code := range codes {
			i := slices.IndexFunc(list, func(je joberrorv1.JobError) bool { return je.Spec.Code == code })
			if i < 0 || !matches(&list[i]) {
				return fmt.Errorf("%s is missing or does not match", code)
			}
		}
		return nil
	})
	return list, err
}

func exists(*joberrorv1.JobError) bool { return true }

// isResolved reports whether an error is resolved, and its status says when.
func isResolved(je *joberrorv1.JobError) bool { return je.Spec.Resolved && je.Status.ResolvedAt != nil }

// awaitResolutions waits until all resolutions of a Job are complete. A request that was not
// answered may have left one.
func (s *soak) awaitResolutions(ctx context.Context, namespace, job string) error {
	return until(ctx, fmt.Sprintf("wait for the resolutions of Job %s/%s", namespace, job), func(ctx context.Context) error {
		var list joberrorv1.JobErrorResolutionList
		if err := s.client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return err
		}
		for i := range list.Items {
			if jer := &list.Items[i]; jer.Spec.JobID == job && !resolution.IsComplete(jer) {
				return fmt.Errorf("%s is not complete", jer.Name)
			}
		}
		return nil
	})
}

// request sends a request to the aggregated API until it succeeds.
func (s *soak) request(ctx context.Context, method, path, body string) ([]byte, error) {
	var answer []byte
	err := until(ctx, method+" "+path, func(ctx context.Context) (err error) {
		answer, err = s.rest.Verb(method).AbsPath(path).SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(ctx).Raw()
		return err
	})
	return answer, err
}
