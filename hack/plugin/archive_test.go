// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// unpack returns the content of the files in an archive, and whether each can be run.
func unpack(t *testing.T, a archive) (content map[string]string, executable map[string]bool) {
	t.Helper()
	content, executable = map[string]string{}, map[string]bool{}
	add := func(name string, mode int64, r io.Reader) {
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		content[name], executable[name] = string(data), mode&0o100 != 0
	}
	if strings.HasSuffix(a.name, ".zip") {
		packed, err := zip.NewReader(bytes.NewReader(a.data), int64(len(a.data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range packed.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			add(f.Name, int64(f.Mode()), r)
			r.Close()
		}
		return content, executable
	}
	compressed, err := gzip.NewReader(bytes.NewReader(a.data))
	if err != nil {
		t.Fatal(err)
	}
	packed := tar.NewReader(compressed)
	for {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return content, executable
		}
		if err != nil {
			t.Fatal(err)
		}
		add(header.Name, header.Mode, packed)
	}
}

func TestArchives(t *testing.T) {
	for _, test := range []struct{ goos, name, bin string }{
		{"linux", "kubectl-joberrors_v1.2.3_linux_arm64.tar.gz", "kubectl-joberrors"},
		{"darwin", "kubectl-joberrors_v1.2.3_darwin_arm64.tar.gz", "kubectl-joberrors"},
		{"windows", "kubectl-joberrors_v1.2.3_windows_arm64.zip", "kubectl-joberrors.exe"},
	} {
		a, err := newArchive("v1.2.3", test.goos, "arm64", []byte("program"), []byte("license"))
		if err != nil {
			t.Fatal(err)
		}
		content, executable := unpack(t, a)
		if want := map[string]string{test.bin: "program", "LICENSE": "license"}; a.name != test.name || a.bin != test.bin || !maps.Equal(content, want) {
			t.Errorf("%s: name %s, program %s, files %v", test.goos, a.name, a.bin, slices.Sorted(maps.Keys(content)))
		}
		if test.goos != "windows" && (!executable[a.bin] || executable["LICENSE"]) {
			t.Errorf("%s: executable are %v", test.goos, executable)
		}
		again, err := newArchive("v1.2.3", test.goos, "arm64", []byte("program"), []byte("license"))
		if err != nil || !bytes.Equal(a.data, again.data) {
			t.Errorf("%s: the same files make another archive (%v)", test.goos, err)
		}
	}
}

func TestChecksums(t *testing.T) {
	got := string(checksums([]archive{{name: "a.zip", data: []byte("abc")}}))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.zip\n"; got != want {
		t.Errorf("checksums = %q, want %q", got, want)
	}
}

func TestTheManifestNeedsASemanticVersion(t *testing.T) {
	for v, ok := range map[string]bool{"v1.2.3": true, "v1.2.3-rc.1": true, "1.2.3": false, "9a42fa8": false, "": false, "v1": false} {
		if _, err := krewManifest(v, "https://example.com", "", nil); (err == nil) != ok {
			t.Errorf("version %q: %v", v, err)
		}
	}
}
