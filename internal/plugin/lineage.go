// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/timeline"
	"joberror.io/operator/internal/plugin/workload"
)

// lineage holds what is known about a Job and its retries, or about one error.
type lineage struct {
	client    *api.Client
	namespace string
	target    target
	records   timeline.Records
	// ids holds the names and UIDs of the Jobs.
	ids map[string]bool
	// roots holds the UIDs of the first Jobs.
	roots map[string]bool
	// hidden holds what the user may not list.
	hidden []string
}

// read reads the lineage. It returns an error if neither a Job nor an error has the name.
func (l *lineage) read(ctx context.Context) error {
	l.ids, l.roots = map[string]bool{l.target.job: true}, map[string]bool{}
	found := map[string]*joberrorv1.JobError{}
	jobs := map[string]*batchv1.Job{}
	steps := []func() error{
		func() error { return l.readJob(ctx, jobs) },
		func() error {
			return l.readErrors(ctx, found, client.MatchingFields{"spec._jobId": l.target.job})
		},
		func() error { return l.labeled(ctx, found, joberrorv1.LabelJobName, l.target.job) },
		func() error { return l.labeled(ctx, found, joberrorv1.LabelJobUID, l.target.job) },
		func() error { return l.readLineage(ctx, found, jobs) },
		func() error { return l.readResolutions(ctx) },
		func() error { return l.readRetries(ctx) },
	}
	if l.target.je != nil {
		l.addError(found, l.target.je)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if len(found) == 0 && len(jobs) == 0 {
		return fmt.Errorf("neither a Job nor an error in namespace %s is named %q", l.namespace, l.target.job)
	}
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		l.records.Jobs = append(l.records.Jobs, *jobs[name])
	}
	if l.target.je != nil {
		found = map[string]*joberrorv1.JobError{l.target.je.Name: l.target.je}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		l.records.Errors = append(l.records.Errors, *found[name])
	}
	return nil
}

// tolerate drops an error because of which a part of the lineage cannot be shown.
func (l *lineage) tolerate(err error, what string) error {
	switch {
	case apierrors.IsForbidden(err):
		if !slices.Contains(l.hidden, what) {
			l.hidden = append(l.hidden, what)
		}
		return nil
	case apierrors.IsNotFound(err):
		// An older operator does not have the kind.
		return nil
	}
	return err
}

func (l *lineage) readJob(ctx context.Context, jobs map[string]*batchv1.Job) error {
	job := &batchv1.Job{}
	err := l.client.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: l.target.job}, job)
	if err != nil {
		return l.tolerate(err, "Jobs")
	}
	l.addJob(jobs, job)
	return nil
}

func (l *lineage) addJob(jobs map[string]*batchv1.Job, job *batchv1.Job) {
	jobs[job.Name] = job
	l.ids[job.Name], l.ids[string(job.UID)] = true, true
	l.roots[cmp.Or(job.Labels[joberrorv1.LabelLineage], string(job.UID))] = true
}

func (l *lineage) addError(found map[string]*joberrorv1.JobError, je *joberrorv1.JobError) {
	found[je.Name] = je
	l.ids[je.Spec.JobID] = true
	uid := je.Labels[joberrorv1.LabelJobUID]
	if link := je.Status.Job; link != nil {
		l.ids[link.Name], uid = true, string(link.UID)
	}
	if uid != "" {
		l.ids[uid] = true
		l.roots[cmp.Or(je.Labels[joberrorv1.LabelLineage], uid)] = true
	}
}

func (l *lineage) readErrors(ctx context.Context, found map[string]*joberrorv1.JobError, match client.ListOption) error {
	for je, err := range l.client.Errors(ctx, client.InNamespace(l.namespace), match) {
		if err != nil {
			return err
		}
		l.addError(found, je)
	}
	return nil
}

// labeled reads the errors with this label. A value that is too long for a label matches nothing.
func (l *lineage) labeled(ctx context.Context, found map[string]*joberrorv1.JobError, label, value string) error {
	if len(value) > 63 {
		return nil
	}
	return l.readErrors(ctx, found, client.MatchingLabels{label: value})
}

// readLineage reads the other Jobs of the lineage and their errors.
func (l *lineage) readLineage(ctx context.Context, found map[string]*joberrorv1.JobError, jobs map[string]*batchv1.Job) error {
	for _, root := range slices.Sorted(maps.Keys(l.roots)) {
		for _, label := range []string{joberrorv1.LabelLineage, joberrorv1.LabelJobUID} {
			if err := l.labeled(ctx, found, label, root); err != nil {
				return err
			}
		}
		var list batchv1.JobList
		err := l.client.List(ctx, &list, client.InNamespace(l.namespace), client.MatchingLabels{joberrorv1.LabelLineage: root})
		if err := l.tolerate(err, "Jobs"); err != nil {
			return fmt.Errorf("list the retries: %w", err)
		}
		for i := range list.Items {
			l.addJob(jobs, &list.Items[i])
		}
	}
	// The first Job has no label, and may be known by the name that its errors have.
	for _, id := range slices.Sorted(maps.Keys(l.ids)) {
		if jobs[id] != nil {
			continue
		}
		job := &batchv1.Job{}
		err := l.client.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: id}, job)
		if err := l.tolerate(err, "Jobs"); err != nil {
			return fmt.Errorf("read Job %s: %w", id, err)
		}
		if err == nil && l.ids[string(job.UID)] {
			l.addJob(jobs, job)
		}
	}
	return nil
}

// readResolutions reads the resolutions of the Jobs. For one error, it keeps those that changed
// it.
func (l *lineage) readResolutions(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(l.ids)) {
		var list joberrorv1.JobErrorResolutionList
		err := l.client.List(ctx, &list, client.InNamespace(l.namespace), client.MatchingFields{"spec._jobId": id})
		if err := l.tolerate(err, "resolutions"); err != nil {
			return fmt.Errorf("list the resolutions of %s: %w", id, err)
		}
		for _, jer := range list.Items {
			je := l.target.je
			if je == nil || je.Status.Resolution == jer.Name || slices.Contains(jer.Status.Errors, je.Name) {
				l.records.Resolutions = append(l.records.Resolutions, jer)
			}
		}
	}
	return nil
}

func (l *lineage) readRetries(ctx context.Context) error {
	next := ""
	for {
		var list joberrorv1.JobErrorRetryList
		err := l.client.List(ctx, &list, client.InNamespace(l.namespace), client.Limit(500), client.Continue(next))
		if err := l.tolerate(err, "retries"); err != nil {
			return fmt.Errorf("list the retries: %w", err)
		}
		for _, jet := range list.Items {
			if root := jet.Status.Root; l.ids[jet.Spec.JobID] || root != nil && l.roots[string(root.UID)] {
				l.records.Retries = append(l.records.Retries, jet)
			}
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

// pod returns the newest pod of the Jobs, or of the error's Job, as pod/NAME; empty if there is
// no pod, or the user may not list pods.
func (l *lineage) pod(ctx context.Context) (string, error) {
	var newest *corev1.Pod
	for i := range l.records.Jobs {
		if je := l.target.je; je != nil && workload.JobOf(je).UID != l.records.Jobs[i].UID {
			continue
		}
		var pods corev1.PodList
		err := l.client.List(ctx, &pods, client.InNamespace(l.namespace), client.MatchingLabels{batchv1.ControllerUidLabel: string(l.records.Jobs[i].UID)}, client.Limit(500))
		if apierrors.IsForbidden(err) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("list the pods of Job %s: %w", l.records.Jobs[i].Name, err)
		}
		for p := range pods.Items {
			if newest == nil || newest.CreationTimestamp.Before(&pods.Items[p].CreationTimestamp) {
				newest = &pods.Items[p]
			}
		}
	}
	if newest == nil {
		return "", nil
	}
	return "pod/" + newest.Name, nil
}
