//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// prefix begins the name of each folder and cgroup of a node. The id of the
	// process that stays outside follows.
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
}

// newTraces makes the folder and the cgroups of a node.
func newTraces(pid int) (*traces, error) {
	t := &traces{cgroup: prefix + strconv.Itoa(pid), dir: filepath.Join(os.TempDir(), prefix+strconv.Itoa(pid))}
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return nil, err
	}
	for _, hierarchy := range hierarchies() {
		if err := makeCgroup(filepath.Join(hierarchy, t.cgroup)); err != nil {
			return nil, errors.Join(err, t.remove(false))
		}
	}
	return t, nil
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
	var errs []error
	for _, hierarchy := range hierarchies() {
		errs = append(errs, removeCgroup(filepath.Join(hierarchy, t.cgroup)))
	}
	if !keepLogs {
		return errors.Join(append(errs, os.RemoveAll(t.dir))...)
	}
	entries, err := os.ReadDir(t.dir)
	errs = append(errs, err)
	for _, entry := range entries {
		if entry.Name() != "logs" {
			errs = append(errs, os.RemoveAll(filepath.Join(t.dir, entry.Name())))
		}
	}
	fmt.Fprintln(os.Stderr, "node: the logs are in", t.dir)
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

// removeLeftovers removes what nodes left whose outer process was killed.
func removeLeftovers() error {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, hierarchy := range hierarchies() {
		more, _ := filepath.Glob(filepath.Join(hierarchy, prefix+"*"))
		found = append(found, more...)
	}
	var errs []error
	for _, path := range found {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), prefix))
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		if strings.HasPrefix(path, cgroups) {
			errs = append(errs, removeCgroup(path))
		} else {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}
