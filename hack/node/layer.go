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

// File is a file of an image: a copy of one on this machine, a symbolic link, or
// text. It is an empty folder if it is none of these.
type File struct {
	Path string
	From string
	Link string
	Text string
}

// writeLayer writes files as a layer, each folder before what is in it.
func writeLayer(w io.Writer, files []File) error {
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	archive := tar.NewWriter(w)
	folders := map[string]bool{"/": true}
	for _, file := range files {
		if err := addFolders(archive, folders, filepath.Dir(file.Path)); err != nil {
			return err
		}
		if err := addFile(archive, folders, file); err != nil {
			return err
		}
	}
	return archive.Close()
}

func addFolders(archive *tar.Writer, folders map[string]bool, path string) error {
	if folders[path] {
		return nil
	}
	if err := addFolders(archive, folders, filepath.Dir(path)); err != nil {
		return err
	}
	folders[path] = true
	mode := int64(0o755)
	if path == "/tmp" {
		mode = 0o1777
	}
	return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path[1:] + "/", Mode: mode})
}

func addFile(archive *tar.Writer, folders map[string]bool, file File) error {
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
		return addFolders(archive, folders, file.Path)
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
}

// folder returns the files in a folder of this machine, at the same paths, but
// for those below what is skipped.
func folder(root string, skip ...string) ([]File, error) {
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
