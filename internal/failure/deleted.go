// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// MaxDeleted limits how many errors one call of CountDeleted counts.
const MaxDeleted = maxRemembered

// CountDeleted counts errors with these UIDs in the status of the record of what is
// deleted because of a limit. It is called before they are deleted, and remembers them
// until the next call: if the operator is killed before it has deleted them, it calls
// CountDeleted for them again, and they are counted once.
func CountDeleted(status *joberrorv1.JobErrorStatus, uids []types.UID, at time.Time) {
	marks := make([]string, len(uids))
	added := 0
	for i, uid := range uids {
		mark := Failure{Occurrence: string(uid), At: at}.firstOccurrence()
		marks[i] = string(mark)
		if !slices.ContainsFunc(status.RecentOccurrences, mark.sameAs) {
			added++
		}
	}
	if added == 0 {
		return
	}
	seen := metav1.NewTime(at.Truncate(time.Second))
	if status.FirstSeen == nil {
		status.FirstSeen = &seen
	}
	status.LastSeen = &seen
	status.Occurrences += int32(added)
	status.RecentOccurrences = marks
}
