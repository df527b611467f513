// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"time"
)

// archive holds a packed program.
type archive struct {
	name, goos, goarch string
	// bin is the name of the program in the archive.
	bin  string
	data []byte
}

func (a archive) sha256() string { return fmt.Sprintf("%x", sha256.Sum256(a.data)) }

// modified dates every file in an archive, so that the same files make the same archive.
// A zip file has no earlier time.
var modified = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// file holds a file to pack.
type file struct {
	name string
	mode int64
	data []byte
}

// newArchive packs a program with the license: a zip file for Windows, otherwise a tar.gz file.
func newArchive(version, goos, goarch string, program, license []byte) (archive, error) {
	a := archive{name: fmt.Sprintf("kubectl-joberrors_%s_%s_%s", version, goos, goarch), goos: goos, goarch: goarch, bin: "kubectl-joberrors"}
	pack := packTar
	if goos == "windows" {
		pack = packZip
		a.bin += ".exe"
		a.name += ".zip"
	} else {
		a.name += ".tar.gz"
	}
	var out bytes.Buffer
	err := pack(&out, []file{{a.bin, 0o755, program}, {"LICENSE", 0o644, license}})
	a.data = out.Bytes()
	return a, err
}

func packTar(out io.Writer, files []file) error {
	compressed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	packed := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: modified, Format: tar.FormatUSTAR}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		if _, err := packed.Write(f.data); err != nil {
			return err
		}
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

func packZip(out io.Writer, files []file) error {
	packed := zip.NewWriter(out)
	for _, f := range files {
		w, err := packed.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: modified})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	return packed.Close()
}

// checksums returns a file for sha256sum -c.
func checksums(archives []archive) []byte {
	var out bytes.Buffer
	for _, a := range archives {
		fmt.Fprintf(&out, "%s  %s\n", a.sha256(), a.name)
	}
	return out.Bytes()
}
