// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package archive keeps JobErrors in a bucket after they are deleted from the cluster.
//
// The files are Parquet, so that any SQL engine reads them. Write stores a batch and returns once
// the store has acknowledged it; the caller deletes only what was written. A batch that is
// written twice, for example after a crash, leaves duplicates at most, which readers drop by
// uid and retry_id.
package archive
