// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/jobref/jobreftest"
)

// Another replica has recorded an error of the Job, and the cache of this one is behind. Without
// the Job's UID, the same record would get another name, and be recorded twice.
func TestANewJobIsKnownAlthoughTheCacheIsBehind(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "import", UID: "new"}}
	recorded := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "import-1"}, Spec: joberrorv1.JobErrorSpec{JobID: "import"}}
	cache, server := jobreftest.Cache(t, interceptor.Funcs{}, recorded), jobreftest.Cache(t, interceptor.Funcs{}, job, recorded)
	e := jobEndpoint{backend: &backend{client: cache, apiReader: server, summaries: emptySummaries(cache)}, namespace: "team", id: "import"}
	ref, err := e.lookup(t.Context())
	if err != nil || ref.Job == nil || ref.Job.UID != "new" {
		t.Errorf("lookup = %+v, %v, want the new Job", ref, err)
	}
}

// The same for a Job that was deleted since.
func TestADeletedJobIsKnownAlthoughTheCacheIsBehind(t *testing.T) {
	t.Parallel()
	recorded := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "import-1"}, Spec: joberrorv1.JobErrorSpec{JobID: "import"}}
	recorded.Status.Job = &joberrorv1.JobReference{Name: "import", UID: "gone"}
	cache := jobreftest.Cache(t, interceptor.Funcs{})
	server := jobreftest.Cache(t, interceptor.Funcs{List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, _ ...client.ListOption) error {
		list.(*joberrorv1.JobErrorList).Items = []joberrorv1.JobError{*recorded}
		return nil
	}})
	b := &backend{client: cache, apiReader: server, summaries: emptySummaries(cache)}
	job, err := b.reportedJob(t.Context(), jobref.New("team", "import", nil, nil))
	if err != nil || job.UID != "gone" || job.Name != "import" {
		t.Errorf("reportedJob = %+v, %v, want the Job that is gone", job, err)
	}
}
