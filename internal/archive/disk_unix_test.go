// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package archive

import (
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestAFullDiskLeavesNoObject limits the size of files: a write fails in the middle, as on a disk
// that gets full. It is not parallel, because the limit is that of the process.
func TestAFullDiskLeavesNoObject(t *testing.T) {
	s, dir := testStore(t)
	e := entry(1, "load", "2026-11-20T00:00:00Z")
	limitFiles(t, 1024, func() {
		if written, err := s.Write(t.Context(), cluster, []Entry{e}); err == nil || len(written) > 0 {
			t.Errorf("wrote %d entries: %v, want an error", len(written), err)
		}
	})
	if files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*")); err != nil || len(files) > 0 {
		t.Errorf("the failed write has left %v: %v", files, err)
	}
	write(t, s, e)
	if records, _, skipped := findAll(t, s, query("load")); !slices.Equal(namesOf(records), []string{"load-1"}) || len(skipped) > 0 {
		t.Errorf("after another write: found %v, skipped %v", namesOf(records), skipped)
	}
}

// limitFiles calls do while no file may become larger than a size.
func limitFiles(t *testing.T, size uint64, do func()) {
	t.Helper()
	// The write fails with EFBIG. Without this, the process would end.
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = size
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Error(err)
		}
	}()
	do()
}
