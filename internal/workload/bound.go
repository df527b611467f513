// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"slices"
)

// Candidate is a workload that may be listed.
type Candidate struct {
	Key
	// Since is when its trouble began, in seconds since 1970.
	Since int64
}

// Bound decides which workloads are listed if there are too many.
type Bound struct {
	limit  int
	listed map[Key]bool
}

// NewBound returns a Bound that lists up to limit workloads.
func NewBound(limit int) *Bound { return &Bound{limit: limit, listed: map[Key]bool{}} }

// Choose decides again, given all workloads with trouble, and returns how many are not listed. A
// workload that is listed stays until it has no more trouble. The places that are free go to
// those with the longest trouble.
func (b *Bound) Choose(candidates []Candidate) int {
	listed := make(map[Key]bool, min(len(candidates), b.limit))
	waiting := slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool {
		if b.listed[c.Key] {
			listed[c.Key] = true
		}
		return b.listed[c.Key]
	})
	if b.limit-len(listed) < len(waiting) {
		slices.SortFunc(waiting, func(x, y Candidate) int {
			return cmp.Or(cmp.Compare(x.Since, y.Since), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name))
		})
	}
	chosen := min(len(waiting), b.limit-len(listed))
	for _, c := range waiting[:chosen] {
		listed[c.Key] = true
	}
	b.listed = listed
	return len(waiting) - chosen
}

// Listed reports whether a workload is listed.
func (b *Bound) Listed(key Key) bool { return b.listed[key] }
