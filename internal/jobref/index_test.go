// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	joberrorv1 "joberror.io/operator/api/v1"
)

// cacheBuilder builds a client with indexes that stands in for the cache.
type cacheBuilder struct{ *fake.ClientBuilder }

func (b cacheBuilder) IndexField(_ context.Context, obj client.Object, field string, extract client.IndexerFunc) error {
	b.WithIndex(obj, field, extract)
	return nil
}

// Values that share a key in an index are still told apart.
func TestFindsTheErrorsOfOneJobOnly(t *testing.T) {
	t.Parallel()
	other := ""
	for i := 0; bucket(other) != bucket("backup"); i++ {
		other = fmt.Sprintf("job-%d", i)
	}
	jobError := func(name, job string) *joberrorv1.JobError {
		return &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name}, Spec: joberrorv1.JobErrorSpec{JobID: job}}
	}
	scheme := runtime.NewScheme()
	cache := cacheBuilder{fake.NewClientBuilder().WithScheme(scheme).WithObjects(jobError("e1", "backup"), jobError("e2", other))}
	if err := errors.Join(joberrorv1.AddToScheme(scheme), batchv1.AddToScheme(scheme), SetupIndexes(t.Context(), cache)); err != nil {
		t.Fatal(err)
	}
	errs, err := Mentions(t.Context(), cache.Build(), "team", "backup")
	if err != nil || len(errs) != 1 || errs[0].Name != "e1" {
		t.Errorf("Mentions = %v, %v; want e1", errs, err)
	}
}

func TestAliasesExcludeTheJobID(t *testing.T) {
	t.Parallel()
	linked := &joberrorv1.JobReference{Name: "backup", UID: jobUID}
	for name, tc := range map[string]struct {
		jobID string
		job   *joberrorv1.JobReference
		want  []string
	}{
		"an error without a link":                  {jobID: "backup"},
		"an error with the Job's name":             {jobID: "backup", job: linked, want: []string{string(jobUID)}},
		"an error with the Job's UID":              {jobID: string(jobUID), job: linked, want: []string{"backup"}},
		"an error whose _jobId is neither of them": {jobID: "other", job: linked, want: []string{"backup", string(jobUID)}},
	} {
		je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: tc.jobID}, Status: joberrorv1.JobErrorStatus{Job: tc.job}}
		if got := aliases(je); !slices.Equal(got, tc.want) {
			t.Errorf("%s: aliases = %v, want %v", name, got, tc.want)
		}
	}
}
