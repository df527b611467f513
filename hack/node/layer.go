//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is a file of an image: a copy of the local file From, a symbolic link, or
// text. If all three are empty, it is an empty directory.
type File struct {
	Path string
	From string
	Link string
	Text string
}

// writeLayer writes files as a layer, each directory before its content.
func writeLayer(w io.Writer, files []File) error {
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	archive := tar.NewWriter(w)
	dirs := map[string]bool{"/": true}
	for _, file := range files {
		if err := addDirs(archive, dirs, filepath.Dir(file.Path)); err != nil {
			return err
		}
		if err := addFile(archive, dirs, file); err != nil {
			return err
		}
	}
	return archive.Close()
}

func addDirs(archive *tar.Writer, dirs map[string]bool, path string) error {
	if dirs[path] {
		return nil
	}
	if err := addDirs(archive, dirs, filepath.Dir(path)); err != nil {
		return err
	}
	dirs[path] = true
	mode := int64(0o755)
	if path == "/tmp" {
		mode = 0o1777
	}
	return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path[1:] + "/", Mode: mode})
}

func addFile(archive *tar.Writer, dirs map[string]bool, file File) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: file.Path[1:], Mode: 0o644}
	var content io.Reader = strings.NewReader(file.Text)
	switch {
	case file.Link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, file.Link
	case file.Text != "":
		header.Size = int64(len(file.Text))
	case file.From != "":
		data, err := os.ReadFile(file.From)
		if err != nil {
			return err
		}
		content, header.Size, header.Mode = bytes.NewReader(data), int64(len(data)), 0o755
	default:
		return addDirs(archive, dirs, file.Path)
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
}

// filesIn returns the files below a local directory, with the same paths. It skips
// directories with the given names.
func filesIn(root string, skip ...string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(skip, entry.Name()):
			return fs.SkipDir
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			files = append(files, File{Path: path, Link: target})
			return err
		case entry.Type().IsRegular():
			files = append(files, File{Path: path, From: path})
		}
		return nil
	})
	return files, err
}
