//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// namePrefix starts the name of each node's directory and cgroups.
	namePrefix = "joberror-node-"
	// cgroupMount is the mount point of the cgroup hierarchies.
	cgroupMount = "/sys/fs/cgroup"

	dirVariable    = "JOBERROR_NODE_DIR"
	cgroupVariable = "JOBERROR_NODE_CGROUP"
)

// footprint holds what a node creates outside its namespaces.
type footprint struct {
	dir    string
	cgroup string
	// lockFile is the open directory. It stays locked while the outer process runs,
	// which shows others that the node is in use.
	lockFile *os.File
}

// newFootprint creates a node's directory and cgroups, and removes those of nodes
// whose outer process was killed.
func newFootprint() (*footprint, error) {
	// Allow one process at a time, because a new directory is not locked yet.
	tempDir, err := lock(os.TempDir(), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer tempDir.Close()
	if err := removeLeftovers(); err != nil {
		return nil, fmt.Errorf("remove the leftovers of an earlier node: %w", err)
	}
	dir, err := os.MkdirTemp("", namePrefix)
	if err != nil {
		return nil, err
	}
	f := &footprint{dir: dir, cgroup: filepath.Base(dir)}
	if f.lockFile, err = lock(dir, syscall.LOCK_EX); err != nil {
		return nil, err
	}
	// Containers need access to files below it.
	errs := []error{os.Chmod(dir, 0o755)}
	for _, root := range cgroupRoots() {
		errs = append(errs, createCgroup(filepath.Join(root, f.cgroup)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, f.remove(false))
	}
	return f, nil
}

// lock opens a directory and locks it until it is closed.
func lock(dir string, how int) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// cgroupRoots returns the directories to create cgroups in: one in cgroup v2, one
// for each controller in v1.
func cgroupRoots() []string {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}
	}
	roots, _ := filepath.Glob(filepath.Join(cgroupMount, "*", "cgroup.procs"))
	for i, file := range roots {
		roots[i] = filepath.Dir(file)
	}
	return roots
}

// createCgroup creates a cgroup that processes can join.
func createCgroup(path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	// In v1, a new cgroup has no CPUs and memory nodes until they are set.
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(filepath.Dir(path), file))
		if err != nil || len(value) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(path, file), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// remove removes the cgroups and the directory. It keeps the directory's logs on
// request.
func (f *footprint) remove(keepLogs bool) error {
	// lockFile is nil if the directory of a leftover is gone. Close accepts that.
	defer f.lockFile.Close()
	var errs []error
	for _, root := range cgroupRoots() {
		errs = append(errs, removeCgroup(filepath.Join(root, f.cgroup)))
	}
	logs := filepath.Join(f.dir, "logs")
	if _, err := os.Stat(logs); err != nil || !keepLogs {
		return errors.Join(append(errs, os.RemoveAll(f.dir))...)
	}
	entries, err := os.ReadDir(f.dir)
	errs = append(errs, err)
	for _, entry := range entries {
		if entry.Name() != filepath.Base(logs) {
			errs = append(errs, os.RemoveAll(filepath.Join(f.dir, entry.Name())))
		}
	}
	fmt.Fprintln(os.Stderr, "node: see the logs in", logs)
	return errors.Join(errs...)
}

// removeCgroup removes a cgroup and the cgroups below it. Their processes have been
// killed, but may need a moment to end.
func removeCgroup(path string) error {
	var err error
	for range 100 {
		if err = removeTree(path); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func removeTree(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(path, entry.Name())); err != nil {
				return err
			}
		}
	}
	return os.Remove(path)
}

// removeLeftovers removes the footprint of nodes that are no longer in use.
func removeLeftovers() error {
	paths, _ := filepath.Glob(filepath.Join(os.TempDir(), namePrefix+"*"))
	for _, root := range cgroupRoots() {
		matches, _ := filepath.Glob(filepath.Join(root, namePrefix+"*"))
		paths = append(paths, matches...)
	}
	var errs []error
	for _, path := range paths {
		f := &footprint{cgroup: filepath.Base(path), dir: filepath.Join(os.TempDir(), filepath.Base(path))}
		lockFile, err := lock(f.dir, syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err == nil {
			f.lockFile = lockFile
		}
		errs = append(errs, f.remove(false))
	}
	return errors.Join(errs...)
}
