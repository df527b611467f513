// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"cmp"
	"slices"
	"strings"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

// victims returns the errors that go so that the limit remains: resolved ones before open
// ones, then older ones before newer ones.
func victims(errs []*joberrorv1.JobError, limit int) []*joberrorv1.JobError {
	if len(errs) <= limit {
		return nil
	}
	sorted := make([]candidate, len(errs))
	for i, je := range errs {
		sorted[i] = candidate{je, retention.CreatedAt(je)}
	}
	slices.SortFunc(sorted, candidate.compare)
	surplus := make([]*joberrorv1.JobError, len(errs)-limit)
	for i := range surplus {
		surplus[i] = sorted[i].JobError
	}
	return surplus
}

// candidate is an error with the time when it happened, which is parsed once.
type candidate struct {
	*joberrorv1.JobError
	createdAt time.Time
}

// compare returns a negative number if c goes before other. The order is the same after a
// restart.
func (c candidate) compare(other candidate) int {
	if c.Spec.Resolved != other.Spec.Resolved {
		if c.Spec.Resolved {
			return -1
		}
		return 1
	}
	return cmp.Or(c.createdAt.Compare(other.createdAt), strings.Compare(c.Name, other.Name))
}
