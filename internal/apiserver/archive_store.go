// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"

	"joberror.io/operator/internal/archive"
)

// ArchiveReader finds archived errors, as an archive.Store does.
type ArchiveReader interface {
	Find(ctx context.Context, query archive.Query) (archive.Page, error)
}
