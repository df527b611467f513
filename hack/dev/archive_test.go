// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/hack/dev/shortlived"
	"joberror.io/operator/internal/archive"
)

func TestTheArchiveBeginsEmpty(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with a space")
	if err := os.MkdirAll(filepath.Join(dir, "archive", "cluster=earlier"), 0o700); err != nil {
		t.Fatal(err)
	}
	a, err := newArchive(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(a.dir); !os.IsNotExist(err) {
		t.Errorf("the archive of an earlier run is still there: %v", err)
	}
	store, err := archive.Open(t.Context(), strings.TrimPrefix(shortlived.Flags(a.dir)[0], "--archive-url="))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(a.dir); err != nil {
		t.Errorf("the store is elsewhere: %v", err)
	}
}
