//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// snapshot holds the machine's state that a node must not change.
type snapshot struct {
	mounts  []string
	links   []string
	sysctls map[string]string
}

func takeSnapshot() (*snapshot, error) {
	s := &snapshot{sysctls: map[string]string{}}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		s.mounts = append(s.mounts, strings.Fields(line)[1])
	}
	links, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		s.links = append(s.links, link.Name)
	}
	for _, name := range sysctls {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			return nil, err
		}
		s.sysctls[name] = string(value)
	}
	return s, nil
}

// compare returns an error for everything that a node has left behind.
func (s *snapshot) compare(id string) error {
	current, err := takeSnapshot()
	if err != nil {
		return err
	}
	var errs []error
	for _, mount := range current.mounts {
		if !slices.Contains(s.mounts, mount) && strings.Contains(mount, id) {
			errs = append(errs, fmt.Errorf("mount %s was not removed", mount))
		}
	}
	for _, link := range current.links {
		if !slices.Contains(s.links, link) && link == bridge {
			errs = append(errs, fmt.Errorf("network interface %s was not removed", link))
		}
	}
	for name, value := range s.sysctls {
		if current.sysctls[name] != value {
			errs = append(errs, fmt.Errorf("sysctl %s changed from %q to %q", name, value, current.sysctls[name]))
		}
	}
	for _, root := range cgroupRoots() {
		if _, err := os.Stat(filepath.Join(root, id)); err == nil {
			errs = append(errs, fmt.Errorf("cgroup %s was not removed", filepath.Join(root, id)))
		}
	}
	return errors.Join(append(errs, processesOf(id))...)
}

// processesOf returns an error for each process with a node's directory in its
// command line.
func processesOf(id string) error {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		// A process may end before its file is read.
		line, _ := os.ReadFile(file)
		if strings.Contains(string(line), id) {
			errs = append(errs, fmt.Errorf("process %s still runs: %s", filepath.Base(filepath.Dir(file)), strings.ReplaceAll(string(line), "\x00", " ")))
		}
	}
	return errors.Join(errs...)
}
