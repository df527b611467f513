// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// open returns an error that happened at this hour.
func open(name string, hour int) *joberrorv1.JobError {
	at := time.Date(2026, 11, 5, hour, 0, 0, 0, time.UTC)
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, CreationTimestamp: metav1.NewTime(at)},
		Spec:       joberrorv1.JobErrorSpec{JobID: "import", CreatedAt: at.Format(time.RFC3339)},
	}
}

func resolved(name string, hour int) *joberrorv1.JobError {
	je := open(name, hour)
	je.Spec.Resolved = true
	return je
}

// withoutTime returns an error whose createdAt is not filled in yet.
func withoutTime(name string, hour int) *joberrorv1.JobError {
	je := open(name, hour)
	je.Spec.CreatedAt = ""
	return je
}

func TestVictims(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		errs  []*joberrorv1.JobError
		limit int
		want  []string
	}{
		"below the limit":         {[]*joberrorv1.JobError{open("a", 1)}, 2, nil},
		"at the limit":            {[]*joberrorv1.JobError{open("a", 1), resolved("b", 1)}, 2, nil},
		"oldest first":            {[]*joberrorv1.JobError{open("c", 3), open("a", 1), open("b", 2)}, 1, []string{"a", "b"}},
		"resolved before open":    {[]*joberrorv1.JobError{open("old", 1), resolved("new", 9)}, 1, []string{"new"}},
		"resolved, oldest first":  {[]*joberrorv1.JobError{resolved("b", 2), open("c", 0), resolved("a", 1)}, 1, []string{"a", "b"}},
		"open after all resolved": {[]*joberrorv1.JobError{open("b", 2), open("c", 3), resolved("z", 9)}, 1, []string{"z", "b"}},
		"at the same time":        {[]*joberrorv1.JobError{open("b", 1), open("a", 1)}, 1, []string{"a"}},
		"createdAt not filled in": {[]*joberrorv1.JobError{withoutTime("b", 2), open("c", 3), withoutTime("a", 1)}, 1, []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, je := range victims(test.errs, test.limit) {
				got = append(got, je.Name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("victims = %v, want %v", got, test.want)
			}
		})
	}
}
