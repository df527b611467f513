// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/hack/dev/shortlived"
)

// devArchive is the archive of "make run ARCHIVE=1".
type devArchive struct{ dir string }

// newArchive returns an empty archive below a directory. The files of an earlier run belong to
// another cluster.
func newArchive(dir string) (*devArchive, error) {
	a := &devArchive{dir: filepath.Join(dir, "archive")}
	if err := os.RemoveAll(a.dir); err != nil {
		return nil, fmt.Errorf("empty the archive: %w", err)
	}
	return a, nil
}

// load creates the Job whose errors expire after a minute.
func (a *devArchive) load(ctx context.Context, plane *controlplane.Plane) error {
	_, err := plane.Run(ctx, strings.NewReader(shortlived.Job), "apply", "-f", "-")
	return err
}

// welcome returns the commands that show the archive.
func (a *devArchive) welcome() string {
	return strings.ReplaceAll(archiveWelcome, "ARCHIVE_DIR", a.dir)
}

const archiveWelcome = `
The errors of the Job short-lived expire after a minute and move to the archive:

  kubectl get joberrors -l joberror.io/job-name=short-lived --watch   # until they are deleted
  kubectl joberrors history short-lived                               # they are found again
  find ARCHIVE_DIR -name '*.parquet'
  duckdb -c "SELECT created_at, code, message FROM 'ARCHIVE_DIR/*/*/*/*.parquet'"

DuckDB is not part of this; docs/archive.md has more queries.
`
