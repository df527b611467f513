// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// linker links JobErrors to their Jobs at admission. If it cannot, the controller does so
// later.
type linker struct {
	cache  client.Reader
	policy retention.Policy
}

// link links a new JobError to its Job if the Job is known. known is the Job that a
// restored JobError was linked to; nil if it has none. link drops owner references to a
// Job or a Namespace of another cluster, which a manifest may contain.
func (l linker) link(ctx context.Context, je *joberrorv1.JobError, known *joberrorv1.JobReference) {
	if err := l.tryLink(ctx, je, known); err != nil {
		log.FromContext(ctx).Info("Cannot link the JobError to its Job at admission", "reason", err.Error())
	}
}

func (l linker) tryLink(ctx context.Context, je *joberrorv1.JobError, known *joberrorv1.JobReference) error {
	job, err := l.lookup(ctx, je, known)
	if err != nil || job == nil && len(je.OwnerReferences) == 0 {
		return err
	}
	namespace, err := joblink.Namespace(ctx, l.cache, je.Namespace)
	if err != nil {
		return err
	}
	joblink.DropForeign(je, job, namespace.UID)
	if job != nil && !l.policy.Cascades(job) {
		joblink.Apply(je, job, namespace.UID, l.policy)
	}
	// Only the operator may leave out the Namespace, for a Job with the deletion policy
	// Cascade.
	joblink.EnsureNamespaceOwner(je, namespace.UID)
	return nil
}

func (l linker) lookup(ctx context.Context, je *joberrorv1.JobError, known *joberrorv1.JobReference) (*batchv1.Job, error) {
	if known != nil {
		return jobref.LookupJobByUID(ctx, l.cache, je.Namespace, known.UID)
	}
	return jobref.LookupJob(ctx, l.cache, je.Namespace, je.Spec.JobID)
}

// keepNamespaceOwner restores the Namespace as an owner if an update removes it.
func (l linker) keepNamespaceOwner(ctx context.Context, je, old *joberrorv1.JobError) {
	if equality.Semantic.DeepEqual(je.OwnerReferences, old.OwnerReferences) || len(je.OwnerReferences) == 0 {
		return
	}
	namespace, err := joblink.Namespace(ctx, l.cache, old.Namespace)
	if err != nil {
		log.FromContext(ctx).Info("Cannot check the owners of the JobError at admission", "reason", err.Error())
		return
	}
	joblink.EnsureNamespaceOwner(je, namespace.UID)
}
