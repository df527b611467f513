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

// jobStorage is the virtual resource jobs: a row for each job that has errors,
// counted from the cache.
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

// Get answers the summary of the job of that name or UID.
func (s *jobStorage) Get(ctx context.Context, id string, _ *metav1.GetOptions) (runtime.Object, error) {
	namespace := request.NamespaceValue(ctx)
	job, err := jobref.LookupJob(ctx, s.cache, namespace, id)
	if err != nil {
		return nil, err
	}
	errors, err := jobref.Mentions(ctx, s.cache, namespace, id)
	if err != nil {
		return nil, err
	}
	if job == nil && len(errors) == 0 {
		return nil, apierrors.NewNotFound(resolvev1.GroupVersion.WithResource("jobs").GroupResource(), id)
	}
	summary := &resolvev1.JobSummary{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: id}}
	for i := range errors {
		summary.Name = jobName(&errors[i])
		count(summary, &errors[i])
	}
	if job != nil {
		summary.Name = job.Name
	}
	return summary, nil
}

// jobName is the name of an error's job as far as it is known.
func jobName(je *joberrorv1.JobError) string {
	if je.Status.Job != nil {
		return je.Status.Job.Name
	}
	return je.Spec.JobID
}

// List answers the summaries of all jobs in the namespace. They have no labels,
// and may be selected by their name and namespace.
func (s *jobStorage) List(ctx context.Context, options *internalversion.ListOptions) (runtime.Object, error) {
	summaries, err := s.summaries(ctx)
	if err != nil {
		return nil, err
	}
	summaries = slices.DeleteFunc(summaries, func(j resolvev1.JobSummary) bool {
		return options.LabelSelector != nil && !options.LabelSelector.Matches(labels.Set{}) ||
			options.FieldSelector != nil && !options.FieldSelector.Matches(fields.Set{"metadata.name": j.Name, "metadata.namespace": j.Namespace})
	})
	return &resolvev1.JobSummaryList{Items: summaries}, nil
}

// summaries counts the errors of each job, by namespace and name.
func (s *jobStorage) summaries(ctx context.Context) ([]resolvev1.JobSummary, error) {
	var list joberrorv1.JobErrorList
	namespace := request.NamespaceValue(ctx)
	if err := s.cache.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	counted := map[types.NamespacedName]*resolvev1.JobSummary{}
	for i := range list.Items {
		je := &list.Items[i]
		key := types.NamespacedName{Namespace: je.Namespace, Name: jobName(je)}
		summary := counted[key]
		if summary == nil {
			summary = &resolvev1.JobSummary{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
			counted[key] = summary
		}
		count(summary, je)
	}
	summaries := make([]resolvev1.JobSummary, 0, len(counted))
	for _, summary := range counted {
		summaries = append(summaries, *summary)
	}
	slices.SortFunc(summaries, func(a, b resolvev1.JobSummary) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return summaries, nil
}

func count(summary *resolvev1.JobSummary, je *joberrorv1.JobError) {
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

// ConvertToTable is what kubectl get prints.
func (s *jobStorage) ConvertToTable(_ context.Context, obj, _ runtime.Object) (*metav1.Table, error) {
	table := &metav1.Table{ColumnDefinitions: []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: "The job"},
		{Name: "Total", Type: "integer", Description: "How many errors the job has"},
		{Name: "Open", Type: "integer", Description: "How many of them are open"},
		{Name: "Resolved", Type: "integer", Description: "How many of them are resolved"},
		{Name: "Last Error", Type: "string", Description: "How long ago the latest of them happened"},
		{Name: "Message", Type: "string", Priority: 1, Description: "The message of the latest of them"},
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
			// An error may be a little ahead of this clock.
			age = duration.HumanDuration(max(0, time.Since(j.LastErrorAt.Time)))
		}
		table.Rows = append(table.Rows, metav1.TableRow{
			Cells:  []any{j.Name, j.Total, j.Open, j.Resolved, age, j.LastMessage},
			Object: runtime.RawExtension{Object: j},
		})
	}
	return table, nil
}
