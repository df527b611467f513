// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import joberrorv1 "joberror.io/operator/api/v1"

// overhead is about what a JobError needs apart from texts that users can make long.
const overhead = 1024

// Size estimates the memory that a JobError needs while it is written: its texts are in its row
// and in the object of the row.
func Size(je *joberrorv1.JobError) int {
	s := &je.Spec
	texts := len(s.Message) + len(s.Extracted) + len(s.Generated) + len(s.Extract) + len(s.Generate)
	for _, values := range []map[string]string{je.Labels, je.Annotations} {
		for key, value := range values {
			texts += len(key) + len(value)
		}
	}
	for _, finalizer := range je.Finalizers {
		texts += len(finalizer)
	}
	for _, o := range je.OwnerReferences {
		texts += len(o.APIVersion) + len(o.Kind) + len(o.Name) + len(o.UID)
	}
	return 2*texts + overhead
}

// size estimates the memory that a record needs after it was read.
func (r *Record) size() int {
	size := overhead
	for _, text := range []string{
		r.Namespace, r.NamespaceUID, r.Name, r.UID, r.JobName, r.JobUID, r.CronJob, r.WorkloadKind, r.Workload, r.Class,
		r.UserID, r.JobID, r.RetryID, r.Code, r.Extract, r.Generate, r.Extracted, r.Generated, r.Message, r.Source,
		r.ResolvedBy, r.Resolution, r.OperatorVersion, r.Object,
	} {
		size += len(text)
	}
	return size
}
