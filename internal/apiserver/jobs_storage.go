// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// jobStorage serves the virtual resource jobs: a summary of each job that has errors,
// computed from the cache.
type jobStorage struct {
	cache client.Reader
}

var (
	_ rest.Getter               = &jobStorage{}
	_ rest.Lister               = &jobStorage{}
	_ rest.Scoper               = &jobStorage{}
	_ rest.SingularNameProvider = &jobStorage{}
)

func (s *jobStorage) New() runtime.Object { return &resolvev1.JobSummary{} }

func (s *jobStorage) NewList() runtime.Object { return &resolvev1.JobSummaryList{} }

func (s *jobStorage) Destroy() {}

func (s *jobStorage) NamespaceScoped() bool { return true }

func (s *jobStorage) GetSingularName() string { return "job" }

// Get returns the summary of the job with this name or UID.
func (s *jobStorage) Get(ctx context.Context, id string, _ *metav1.GetOptions) (runtime.Object, error) {
	namespace := request.NamespaceValue(ctx)
	job, err := jobref.LookupJob(ctx, s.cache, namespace, id)
	if err != nil {
		return nil, err
	}
	mentions, err := jobref.Mentions(ctx, s.cache, namespace, id)
	if err != nil {
		return nil, err
	}
	if job == nil && len(mentions) == 0 {
		return nil, apierrors.NewNotFound(resolvev1.GroupVersion.WithResource("jobs").GroupResource(), id)
	}
	summary := &resolvev1.JobSummary{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: id}}
	for i := range mentions {
		summary.Name = jobName(&mentions[i])
		addError(summary, &mentions[i])
	}
	if job != nil {
		summary.Name = job.Name
	}
	return summary, nil
}

// jobName returns the name of an error's job, or its spec._jobId if the name is unknown.
func jobName(je *joberrorv1.JobError) string {
	if je.Status.Job != nil {
		return je.Status.Job.Name
	}
	return je.Spec.JobID
}

// List returns the summaries of all jobs in the namespace. They have no labels, and can be
// selected by their name and namespace.
func (s *jobStorage) List(ctx context.Context, opts *internalversion.ListOptions) (runtime.Object, error) {
	summaries, err := s.summaries(ctx)
	if err != nil {
		return nil, err
	}
	summaries = slices.DeleteFunc(summaries, func(j resolvev1.JobSummary) bool {
		return opts.LabelSelector != nil && !opts.LabelSelector.Matches(labels.Set{}) ||
			opts.FieldSelector != nil && !opts.FieldSelector.Matches(fields.Set{"metadata.name": j.Name, "metadata.namespace": j.Namespace})
	})
	return &resolvev1.JobSummaryList{Items: summaries}, nil
}

// summaries returns a summary of each job, sorted by namespace and name.
func (s *jobStorage) summaries(ctx context.Context) ([]resolvev1.JobSummary, error) {
	var list joberrorv1.JobErrorList
	namespace := request.NamespaceValue(ctx)
	if err := s.cache.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	byJob := map[types.NamespacedName]*resolvev1.JobSummary{}
	for i := range list.Items {
		je := &list.Items[i]
		key := types.NamespacedName{Namespace: je.Namespace, Name: jobName(je)}
		summary := byJob[key]
		if summary == nil {
			summary = &resolvev1.JobSummary{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
			byJob[key] = summary
		}
		addError(summary, je)
	}
	summaries := make([]resolvev1.JobSummary, 0, len(byJob))
	for _, summary := range byJob {
		summaries = append(summaries, *summary)
	}
	slices.SortFunc(summaries, func(a, b resolvev1.JobSummary) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return summaries, nil
}

// addError adds an error to the summary of its job.
func addError(summary *resolvev1.JobSummary, je *joberrorv1.JobError) {
	summary.Total++
	if je.Spec.Resolved {
		summary.Resolved++
	} else {
		summary.Open++
	}
	if at := retention.CreatedAt(je); summary.LastErrorAt == nil || at.After(summary.LastErrorAt.Time) {
		summary.LastErrorAt = &metav1.Time{Time: at}
		summary.LastMessage = je.Spec.Message
	}
}

// ConvertToTable returns the table that kubectl get prints.
func (s *jobStorage) ConvertToTable(_ context.Context, obj, _ runtime.Object) (*metav1.Table, error) {
	table := &metav1.Table{ColumnDefinitions: []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: "The job"},
		{Name: "Total", Type: "integer", Description: "How many errors the job has"},
		{Name: "Open", Type: "integer", Description: "How many of its errors are open"},
		{Name: "Resolved", Type: "integer", Description: "How many of its errors are resolved"},
		{Name: "Last Error", Type: "string", Description: "How long ago its latest error happened"},
		{Name: "Message", Type: "string", Priority: 1, Description: "The message of its latest error"},
	}}
	var items []resolvev1.JobSummary
	switch o := obj.(type) {
	case *resolvev1.JobSummaryList:
		items = o.Items
	case *resolvev1.JobSummary:
		items = []resolvev1.JobSummary{*o}
	}
	for i := range items {
		j := &items[i]
		age := "<none>"
		if j.LastErrorAt != nil {
			// The time may be slightly ahead of this clock.
			age = duration.HumanDuration(max(0, time.Since(j.LastErrorAt.Time)))
		}
		table.Rows = append(table.Rows, metav1.TableRow{
			Cells:  []any{j.Name, j.Total, j.Open, j.Resolved, age, j.LastMessage},
			Object: runtime.RawExtension{Object: j},
		})
	}
	return table, nil
}
