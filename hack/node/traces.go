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
	// prefix begins the name of each folder and cgroup of a node.
	prefix = "joberror-node-"
	// cgroups is where the hierarchies are mounted.
	cgroups = "/sys/fs/cgroup"

	dirVariable    = "JOBERROR_NODE_DIR"
	cgroupVariable = "JOBERROR_NODE_CGROUP"
)

// traces are what a node leaves outside of its namespaces.
type traces struct {
	dir    string
	cgroup string
	// held is the folder, locked as long as the outer process runs. Others see by
	// it whether the node is in use.
	held *os.File
}

// newTraces makes the folder and the cgroups of a node, and removes those of
// nodes whose outer process was killed.
func newTraces() (*traces, error) {
	// One at a time: a new folder is not locked yet.
	all, err := lock(os.TempDir(), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	if err := removeLeftovers(); err != nil {
		return nil, fmt.Errorf("removing what an earlier node left: %w", err)
	}
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	t := &traces{dir: dir, cgroup: filepath.Base(dir)}
	if t.held, err = lock(dir, syscall.LOCK_EX); err != nil {
		return nil, err
	}
	// Containers pass through it.
	errs := []error{os.Chmod(dir, 0o755)}
	for _, hierarchy := range hierarchies() {
		errs = append(errs, makeCgroup(filepath.Join(hierarchy, t.cgroup)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, t.remove(false))
	}
	return t, nil
}

// lock opens a folder and locks it until it is closed.
func lock(dir string, how int) (*os.File, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(folder.Fd()), how); err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}

// hierarchies returns where cgroups are made: one folder in cgroup v2, one for
// each controller in v1.
func hierarchies() []string {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{cgroups}
	}
	folders, _ := filepath.Glob(filepath.Join(cgroups, "*", "cgroup.procs"))
	for i, file := range folders {
		folders[i] = filepath.Dir(file)
	}
	return folders
}

// makeCgroup makes a cgroup that processes can be in.
func makeCgroup(path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	// In v1, a new cgroup may use no CPU until told.
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

// remove removes the cgroups, and the folder or all but its logs.
func (t *traces) remove(keepLogs bool) error {
	// There is none where a leftover's folder is gone.
	defer t.held.Close()
	var errs []error
	for _, hierarchy := range hierarchies() {
		errs = append(errs, removeCgroup(filepath.Join(hierarchy, t.cgroup)))
	}
	logs := filepath.Join(t.dir, "logs")
	if _, err := os.Stat(logs); err != nil || !keepLogs {
		return errors.Join(append(errs, os.RemoveAll(t.dir))...)
	}
	entries, err := os.ReadDir(t.dir)
	errs = append(errs, err)
	for _, entry := range entries {
		if entry.Name() != filepath.Base(logs) {
			errs = append(errs, os.RemoveAll(filepath.Join(t.dir, entry.Name())))
		}
	}
	fmt.Fprintln(os.Stderr, "node: the logs are in", logs)
	return errors.Join(errs...)
}

// removeCgroup removes a cgroup and those in it. The processes in it have been
// killed, but may take a moment to end.
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

// removeLeftovers removes the traces of nodes that are no longer in use.
func removeLeftovers() error {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, hierarchy := range hierarchies() {
		more, _ := filepath.Glob(filepath.Join(hierarchy, prefix+"*"))
		found = append(found, more...)
	}
	var errs []error
	for _, path := range found {
		t := &traces{cgroup: filepath.Base(path), dir: filepath.Join(os.TempDir(), filepath.Base(path))}
		held, err := lock(t.dir, syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err == nil {
			t.held = held
		}
		errs = append(errs, t.remove(false))
	}
	return errors.Join(errs...)
}
