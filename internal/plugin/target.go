// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/workload"
)

// target holds the Job or the error that an argument names.
type target struct {
	// job is the name or the UID of a Job, or the _jobId of the error.
	job string
	// uid is the UID of the Job that the error is linked to. Another Job may have its name by now.
	uid types.UID
	// je is the error; nil if the argument names a Job.
	je *joberrorv1.JobError
}

// splitTarget splits an argument into a kind, job, joberror or nothing, and a name.
func splitTarget(arg string) (kind, name string, err error) {
	kind, name, ok := strings.Cut(arg, "/")
	if !ok {
		kind, name = "", arg
	}
	switch strings.ToLower(kind) {
	case "":
	case "job", "jobs", "job.batch", "jobs.batch":
		kind = "job"
	case "joberror", "joberrors", "je", "joberror.joberror.io", "joberrors.joberror.io":
		kind = "joberror"
	default:
		return "", "", usageError{fmt.Errorf("%q must be the name of a Job or an error, job/NAME or joberror/NAME", arg)}
	}
	if name == "" || strings.Contains(name, "/") {
		return "", "", usageError{fmt.Errorf("%q must be the name of a Job or an error, job/NAME or joberror/NAME", arg)}
	}
	return kind, name, nil
}

// lookup returns what an argument names. A name without a kind stands for the error with this
// name if there is one, and otherwise for a Job, which may be deleted.
func lookup(ctx context.Context, c *api.Client, namespace, arg string) (target, error) {
	kind, name, err := splitTarget(arg)
	if err != nil || kind == "job" {
		return target{job: name}, err
	}
	je := &joberrorv1.JobError{}
	err = c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, je)
	if kind == "" {
		// Someone who may not read errors may still resolve those of a Job.
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
			return target{job: name}, nil
		}
		if err == nil {
			err = checkUnambiguous(ctx, c, namespace, name)
		}
	}
	if err != nil {
		if apierrors.IsNotFound(err) {
			err = fmt.Errorf("namespace %s has no such error: %w", namespace, err)
		}
		return target{}, fmt.Errorf("read joberror/%s: %w", name, err)
	}
	return target{job: je.Spec.JobID, uid: workload.JobOf(je).UID, je: je}, nil
}

// checkUnambiguous returns an error if a Job has the name of an error.
func checkUnambiguous(ctx context.Context, c *api.Client, namespace, name string) error {
	job := &metav1.PartialObjectMetadata{}
	job.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, job)
	switch {
	case err == nil:
		return usageError{fmt.Errorf("both a Job and an error have this name: write job/%s or joberror/%s", name, name)}
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return nil
	}
	return err
}

// lookupAll returns what the arguments name, grouped by Job, in the order of the arguments. What
// is named twice comes once.
func lookupAll(ctx context.Context, c *api.Client, namespace string, args []string) ([]jobTargets, error) {
	var all []jobTargets
	for _, arg := range args {
		found, err := lookup(ctx, c, namespace, arg)
		if err != nil {
			return nil, err
		}
		i := 0
		for i < len(all) && (all[i].job != found.job || all[i].uid != found.uid || all[i].whole() != (found.je == nil)) {
			i++
		}
		if i == len(all) {
			all = append(all, jobTargets{job: found.job, uid: found.uid})
		}
		if found.je != nil && !slices.Contains(all[i].names(), found.je.Name) {
			all[i].errors = append(all[i].errors, found.je)
		}
	}
	return all, nil
}

// jobTargets holds a whole Job, or some of its errors.
type jobTargets struct {
	job    string
	uid    types.UID
	errors []*joberrorv1.JobError
}

func (t jobTargets) whole() bool { return len(t.errors) == 0 }

func (t jobTargets) names() []string {
	var names []string
	for _, je := range t.errors {
		names = append(names, je.Name)
	}
	return names
}
