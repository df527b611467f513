// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/prometheus/common/version"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/workload"
)

// schemaVersion changes if a column changes its meaning. A new column does not change it.
const schemaVersion = 1

// Record is a row of the archive. The names of the columns are an interface that queries
// depend on: columns may be added, but not renamed or removed. Times are in UTC, in
// milliseconds. An optional column is null if the JobError lacks the value.
type Record struct {
	Namespace    string `parquet:"namespace,dict"`
	NamespaceUID string `parquet:"namespace_uid,dict"`
	Name         string `parquet:"name"`
	UID          string `parquet:"uid"`
	// JobName is the name of the Job or, if the JobError was never linked, what _jobId says.
	JobName      string `parquet:"job_name,dict"`
	JobUID       string `parquet:"job_uid,optional,dict"`
	CronJob      string `parquet:"cronjob,optional,dict"`
	WorkloadKind string `parquet:"workload_kind,dict"`
	Workload     string `parquet:"workload,dict"`
	Class        string `parquet:"class,optional,dict"`

	UserID    string    `parquet:"user_id,optional,dict"`
	JobID     string    `parquet:"job_id,dict"`
	RetryID   string    `parquet:"retry_id,optional"`
	CreatedAt time.Time `parquet:"created_at,timestamp(millisecond)"`
	Resolved  bool      `parquet:"resolved"`
	Code      string    `parquet:"code,optional,dict"`
	Extract   string    `parquet:"extract,optional,dict"`
	Generate  string    `parquet:"generate,optional,dict"`
	Extracted string    `parquet:"extracted,optional"`
	Generated string    `parquet:"generated,optional"`
	Message   string    `parquet:"message,optional"`
	Source    string    `parquet:"source,optional,dict"`

	ResolvedAt  *time.Time `parquet:"resolved_at,optional,timestamp(millisecond)"`
	ResolvedBy  string     `parquet:"resolved_by,optional,dict"`
	Resolution  string     `parquet:"resolution,optional,dict"`
	Occurrences int32      `parquet:"occurrences,optional"`
	FirstSeen   *time.Time `parquet:"first_seen,optional,timestamp(millisecond)"`
	LastSeen    *time.Time `parquet:"last_seen,optional,timestamp(millisecond)"`
	ExpiresAt   *time.Time `parquet:"expires_at,optional,timestamp(millisecond)"`
	ArchivedAt  time.Time  `parquet:"archived_at,timestamp(millisecond)"`

	OperatorVersion string `parquet:"operator_version,optional,dict"`
	// Object is the whole JobError in JSON, without managedFields.
	Object        string `parquet:"object"`
	SchemaVersion int32  `parquet:"schema_version"`
}

// Entry is a JobError to archive. The UID of its namespace keeps its records from a namespace
// of the same name that somebody creates later.
type Entry struct {
	Error        *joberrorv1.JobError
	NamespaceUID types.UID
}

// recordOf returns the row of an entry.
func recordOf(e Entry, archivedAt time.Time) (Record, error) {
	je := e.Error.DeepCopy()
	je.ManagedFields = nil
	je.TypeMeta = metav1.TypeMeta{APIVersion: joberrorv1.GroupVersion.String(), Kind: "JobError"}
	object, err := json.Marshal(je)
	if err != nil {
		return Record{}, fmt.Errorf("encode JobError %s/%s: %w", je.Namespace, je.Name, err)
	}
	owner := workload.Of(je)
	r := Record{
		Namespace: je.Namespace, NamespaceUID: string(e.NamespaceUID), Name: je.Name, UID: string(je.UID),
		JobName: je.Spec.JobID, CronJob: je.Labels[joberrorv1.LabelCronJobName], WorkloadKind: owner.Kind, Workload: owner.Name,
		Class:  je.Labels[joberrorv1.LabelClass],
		UserID: je.Spec.UserID, JobID: je.Spec.JobID, RetryID: je.Status.RetryID, CreatedAt: retention.CreatedAt(je).UTC(),
		Resolved: je.Spec.Resolved, Code: je.Spec.Code, Extract: je.Spec.Extract, Generate: je.Spec.Generate,
		Extracted: je.Spec.Extracted, Generated: je.Spec.Generated, Message: je.Spec.Message, Source: je.Spec.Source,
		ResolvedAt: utc(je.Status.ResolvedAt), ResolvedBy: je.Status.ResolvedBy, Resolution: je.Status.Resolution,
		Occurrences: je.Status.Occurrences, FirstSeen: utc(je.Status.FirstSeen), LastSeen: utc(je.Status.LastSeen),
		ExpiresAt: utc(je.Status.ExpiresAt), ArchivedAt: archivedAt.UTC(), OperatorVersion: version.Version, Object: string(object), SchemaVersion: schemaVersion,
	}
	if job := joblink.Linked(je); job != nil {
		r.JobName, r.JobUID = job.Name, string(job.UID)
	}
	return r, nil
}

// utc returns a time in UTC; nil if it is not set.
func utc(t *metav1.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	at := t.UTC()
	return &at
}
