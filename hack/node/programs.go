//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	busybox = "/bin/busybox"
	python  = "/usr/bin/python3"
	curl    = "/usr/bin/curl"

	pauseImage = "pause:1"
)

// AddOperator adds the operator's image, as the Dockerfile describes it.
func (i *Images) AddOperator(name, binary string) error {
	return i.Add(name, Image{Files: []File{{Path: "/operator", From: binary}}, Entrypoint: []string{"/operator"}, User: "65532:65532"})
}

// AddPrograms adds the images that the samples use, built from programs on this
// machine, and the pause image that holds a pod's namespaces.
func (i *Images) AddPrograms() error {
	shell, err := busyboxFiles()
	if err != nil {
		return err
	}
	curlFiles, err := programFiles(curl)
	if err != nil {
		return err
	}
	pythonFiles, err := pythonFiles()
	if err != nil {
		return err
	}
	pause := []File{{Path: busybox, From: busybox}}
	for _, image := range []struct {
		name  string
		image Image
	}{
		{pauseImage, Image{Files: pause, Entrypoint: []string{busybox, "sleep", "2147483647"}}},
		{"busybox", Image{Files: shell}},
		{"curlimages/curl", Image{Files: append(curlFiles, shell...)}},
		{"python:3-alpine", Image{Files: append(pythonFiles, shell...)}},
	} {
		if err := i.Add(image.name, image.image); err != nil {
			return err
		}
	}
	return nil
}

// busyboxFiles returns busybox with a link for each of its commands.
func busyboxFiles() ([]File, error) {
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list busybox commands: %w; install busybox-static", err)
	}
	files := []File{
		{Path: busybox, From: busybox},
		{Path: "/tmp"},
		{Path: "/etc/passwd", Text: "root:x:0:0:root:/:/bin/sh\n"},
		{Path: "/etc/group", Text: "root:x:0:\n"},
	}
	for _, name := range strings.Fields(string(list)) {
		if name != "busybox" {
			files = append(files, File{Path: "/bin/" + name, Link: "busybox"})
		}
	}
	return files, nil
}

// pythonFiles returns Debian's Python with its standard library.
func pythonFiles() ([]File, error) {
	program, err := filepath.EvalSymlinks(python)
	if err != nil {
		return nil, err
	}
	library := "/usr/lib/" + filepath.Base(program)
	modules, err := filepath.Glob(library + "/lib-dynload/*.so")
	if err != nil {
		return nil, err
	}
	files, err := programFiles(append([]string{program}, modules...)...)
	if err != nil {
		return nil, err
	}
	standard, err := filesIn(library, "__pycache__", "lib-dynload", "test", "ensurepip")
	if err != nil {
		return nil, err
	}
	return append(append(files, standard...), File{Path: python, Link: filepath.Base(program)}), nil
}

// linkedLibrary matches the path of a linked library in ldd's output.
var linkedLibrary = regexp.MustCompile(`(?m)(?:=> |^\s*)(/\S+) \(0x`)

// programFiles returns programs on this machine and the libraries they need.
func programFiles(programs ...string) ([]File, error) {
	out, err := exec.Command("ldd", programs...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ldd: %w: %s", err, out)
	}
	var files []File
	seen := map[string]bool{}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			files = append(files, File{Path: path, From: path})
		}
	}
	for _, program := range programs {
		add(program)
	}
	for _, match := range linkedLibrary.FindAllStringSubmatch(string(out), -1) {
		add(match[1])
	}
	return files, nil
}
