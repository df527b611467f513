// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"cmp"
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
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// jobStorage serves the virtual resource jobs: a summary of each job that has errors,
// which follows the cache.
type jobStorage struct {
	cache     client.Reader
	summaries *summaries
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
	found, err := s.summaries.find(ctx, namespace, id)
	if err != nil {
		return nil, err
	}
	if job == nil && found == nil {
		return nil, apierrors.NewNotFound(resolvev1.GroupVersion.WithResource("jobs").GroupResource(), id)
	}
	result := &resolvev1.JobSummary{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: id}}
	if found != nil {
		*result = found.object(namespace, jobName(found.latest))
	}
	if job != nil {
		result.Name = job.Name
	}
	return result, nil
}

// object returns a summary as an object of the API.
func (j *summary) object(namespace, name string) resolvev1.JobSummary {
	return resolvev1.JobSummary{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Total:      j.total, Open: j.total - j.resolved, Resolved: j.resolved,
		LastErrorAt: &metav1.Time{Time: retention.CreatedAt(j.latest)}, LastMessage: j.latest.Spec.Message,
	}
}

// List returns the summaries of all jobs in the namespace. They have no labels, and can be
// selected by their name and namespace.
func (s *jobStorage) List(ctx context.Context, opts *internalversion.ListOptions) (runtime.Object, error) {
	items := []resolvev1.JobSummary{}
	err := s.summaries.list(ctx, request.NamespaceValue(ctx), func(namespace, job string, found *summary) {
		if opts.LabelSelector != nil && !opts.LabelSelector.Matches(labels.Set{}) ||
			opts.FieldSelector != nil && !opts.FieldSelector.Matches(fields.Set{"metadata.name": job, "metadata.namespace": namespace}) {
			return
		}
		items = append(items, found.object(namespace, job))
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(items, func(a, b resolvev1.JobSummary) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return &resolvev1.JobSummaryList{Items: items}, nil
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
