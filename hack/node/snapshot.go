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

// snapshot is what a node must leave as it was.
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

// compare reports what a node has left behind.
func (s *snapshot) compare(id string) error {
	now, err := takeSnapshot()
	if err != nil {
		return err
	}
	var errs []error
	for _, mount := range now.mounts {
		if !slices.Contains(s.mounts, mount) && strings.Contains(mount, id) {
			errs = append(errs, fmt.Errorf("mount %s is left", mount))
		}
	}
	for _, link := range now.links {
		if !slices.Contains(s.links, link) && link == bridge {
			errs = append(errs, fmt.Errorf("network interface %s is left", link))
		}
	}
	for name, value := range s.sysctls {
		if now.sysctls[name] != value {
			errs = append(errs, fmt.Errorf("sysctl %s was %q and is %q", name, value, now.sysctls[name]))
		}
	}
	for _, hierarchy := range hierarchies() {
		if _, err := os.Stat(filepath.Join(hierarchy, id)); err == nil {
			errs = append(errs, fmt.Errorf("cgroup %s is left", filepath.Join(hierarchy, id)))
		}
	}
	return errors.Join(append(errs, processesOf(id))...)
}

// processesOf reports processes that hold a node's folder in their command line.
func processesOf(id string) error {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		// A process may end while it is looked at.
		line, _ := os.ReadFile(file)
		if strings.Contains(string(line), id) {
			errs = append(errs, fmt.Errorf("process %s is left: %s", filepath.Base(filepath.Dir(file)), strings.ReplaceAll(string(line), "\x00", " ")))
		}
	}
	return errors.Join(errs...)
}
