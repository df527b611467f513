// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestCountDeleted(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 5, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name    string
		batches [][]types.UID
		want    int32
	}{
		{"one batch", [][]types.UID{{"a", "b"}}, 2},
		{"two batches", [][]types.UID{{"a", "b"}, {"c"}}, 3},
		{"a batch that was not deleted", [][]types.UID{{"a", "b"}, {"a", "b"}}, 2},
		{"a batch of which a part was deleted", [][]types.UID{{"a", "b"}, {"b", "c"}}, 3},
		{"the rest of a batch, twice", [][]types.UID{{"a", "b"}, {"b"}, {"a", "b"}}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var status joberrorv1.JobErrorStatus
			for i, batch := range test.batches {
				CountDeleted(&status, batch, first.Add(time.Duration(i)*time.Hour))
			}
			if status.Occurrences != test.want {
				t.Errorf("occurrences = %d, want %d", status.Occurrences, test.want)
			}
			if !status.FirstSeen.Time.Equal(first) {
				t.Errorf("firstSeen = %s, want %s", status.FirstSeen, first)
			}
		})
	}
}

func TestCountDeletedKeepsTheLatestTimeAndBatch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 5, 10, 0, 0, 0, time.UTC)
	var status joberrorv1.JobErrorStatus
	CountDeleted(&status, []types.UID{"a", "b"}, at)
	CountDeleted(&status, []types.UID{"c"}, at.Add(time.Hour))
	if len(status.RecentOccurrences) != 1 || !status.LastSeen.Time.Equal(at.Add(time.Hour)) {
		t.Errorf("status = %+v, want the mark of c and lastSeen %s", status, at.Add(time.Hour))
	}
}
