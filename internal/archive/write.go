// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"crypto/md5" // #nosec G501 -- it finds damage and is no signature
	"errors"
	"fmt"

	"gocloud.dev/blob"
	"k8s.io/apimachinery/pkg/types"
)

// contentType is the registered media type of Parquet.
const contentType = "application/vnd.apache.parquet"

// Write stores the entries, in an object for each namespace and day, and returns those that the
// store has acknowledged. It goes on after an error, since another object may fit or may be
// allowed; the error joins those of all objects. Writing an entry again is harmless.
func (s *Store) Write(ctx context.Context, cluster types.UID, entries []Entry) (written []Entry, err error) {
	var errs []error
	for _, b := range batches(entries) {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if err := s.writeBatch(ctx, cluster, b); err != nil {
			errs = append(errs, err)
			continue
		}
		written = append(written, b.entries...)
	}
	return written, errors.Join(errs...)
}

func (s *Store) writeBatch(ctx context.Context, cluster types.UID, b batch) error {
	file, err := encode(cluster, b.entries, s.clock.Now())
	if err != nil {
		return err
	}
	name := objectName(cluster, b.part, b.entries)
	if err := s.put(ctx, name, file); err != nil {
		return fmt.Errorf("write %d records to %s: %w", len(b.entries), name, explain(err))
	}
	return nil
}

// put stores an object. Unlike WriteAll of the library, it stores nothing if a write fails in the
// middle, for example on a full disk.
func (s *Store) put(ctx context.Context, name string, data []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sum := md5.Sum(data) // #nosec G401 -- it finds damage and is no signature
	w, err := s.bucket.NewWriter(ctx, name, &blob.WriterOptions{ContentType: contentType, ContentMD5: sum[:]})
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		// Close drops the object if the context has ended.
		cancel()
		_ = w.Close()
		return err
	}
	return w.Close()
}
