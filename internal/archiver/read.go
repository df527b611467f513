// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/restore"
)

const (
	// readSize is how many records are read before their size is added up. A JobError has up to
	// about 80 KB, and with the longest metadata that etcd takes, 1.5 MB.
	readSize = 100
	// readersAtOnce limits the records that are read one by one at the same time.
	readersAtOnce = 8
	// maxBytes limits the sizes of the records that are in memory at the same time.
	maxBytes = 64 << 20
)

// records holds what the API server has of a batch.
type records struct {
	entries []archive.Entry
	// gone holds the records that no longer exist.
	gone []types.UID
	// incomplete says that some records were left out, because their status is not complete yet.
	incomplete bool
	bytes      int
}

func (r *records) full() bool { return r.bytes >= maxBytes }

// add adds what the API server has of a record; nil if it is gone.
func (r *records) add(uid types.UID, e *archive.Entry) {
	switch {
	case e == nil:
		r.gone = append(r.gone, uid)
	case !IsComplete(e.Error):
		r.incomplete = true
	default:
		r.entries = append(r.entries, *e)
		r.bytes += archive.Size(e.Error)
	}
}

// IsComplete reports whether the status of a record is complete. Until it is, a reconcile still
// writes to it.
func IsComplete(je *joberrorv1.JobError) bool {
	return je.Status.ObservedGeneration == je.Generation && !restore.IsRestored(je)
}

// read reads records from the API server until it has all of them, or until they use too much
// memory. It returns what it has even if it fails.
func (a *Archiver) read(ctx context.Context, items []Item) (*records, error) {
	all := &records{}
	if err := a.findCluster(ctx); err != nil {
		return all, err
	}
	rest, err := a.readLists(ctx, items, all)
	if err != nil {
		return all, err
	}
	return all, a.readEach(ctx, rest, all)
}

// readEach reads records one by one.
func (a *Archiver) readEach(ctx context.Context, items []Item, all *records) error {
	for chunk := range slices.Chunk(items, readSize) {
		if all.full() {
			break
		}
		read := make([]*archive.Entry, len(chunk))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(readersAtOnce)
		for i, item := range chunk {
			group.Go(func() (err error) {
				read[i], err = a.readOne(ctx, item)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for i, e := range read {
			all.add(chunk[i].UID, e)
		}
	}
	return nil
}

// readOne returns a record, or nil if it is gone.
func (a *Archiver) readOne(ctx context.Context, item Item) (*archive.Entry, error) {
	je := &joberrorv1.JobError{}
	err := a.APIReader.Get(ctx, item.Key, je)
	switch {
	case apierrors.IsNotFound(err), err == nil && je.UID != item.UID:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read JobError %s: %w", item.Key, err)
	}
	return a.entryOf(ctx, je)
}

// entryOf returns a record with the UID of its namespace, or nil if it is being deleted.
func (a *Archiver) entryOf(ctx context.Context, je *joberrorv1.JobError) (*archive.Entry, error) {
	if !je.DeletionTimestamp.IsZero() {
		return nil, nil
	}
	namespace, err := a.namespaceOf(ctx, je)
	if apierrors.IsNotFound(err) {
		// The record goes with its namespace.
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read namespace %s: %w", je.Namespace, err)
	}
	// The archive does not store managed fields, and they can be long.
	je.ManagedFields = nil
	return &archive.Entry{Error: je, NamespaceUID: namespace}, nil
}

// namespaceOf returns the UID of the namespace of a record. The record's own reference is
// right even if the namespace was created again and the cache still has the earlier one.
func (a *Archiver) namespaceOf(ctx context.Context, je *joberrorv1.JobError) (types.UID, error) {
	for _, owner := range je.OwnerReferences {
		if owner.APIVersion == "v1" && owner.Kind == "Namespace" && owner.Name == je.Namespace {
			return owner.UID, nil
		}
	}
	namespace, err := joblink.Namespace(ctx, a.Cached, je.Namespace)
	return namespace.UID, err
}
