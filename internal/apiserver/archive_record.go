// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// archivedRecordOf returns an archived JobError in the source's flat shape, with the state that
// this shape has no fields for.
func archivedRecordOf(je *joberrorv1.JobError, archivedAt time.Time) resolvev1.ArchivedRecord {
	state := resolvev1.ArchivedState{
		UID: je.UID, Class: je.Labels[joberrorv1.LabelClass], Occurrences: je.Status.Occurrences, LastSeen: je.Status.LastSeen,
		ResolvedAt: je.Status.ResolvedAt, ResolvedBy: je.Status.ResolvedBy, Resolution: je.Status.Resolution,
	}
	if !archivedAt.IsZero() {
		state.At = &metav1.Time{Time: archivedAt.UTC()}
	}
	if job := je.Status.Job; job != nil {
		state.Job, state.JobUID = job.Name, job.UID
	}
	return resolvev1.ArchivedRecord{Record: recordOf(je), Archived: state}
}
