// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// input counts the bytes that are read, for the progress.
type input struct {
	io.ReadCloser
	read atomic.Int64
	size int64
}

// Read reads, and counts.
func (i *input) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	i.read.Add(int64(n))
	return n, err
}

func (r *reportOptions) open() (*input, error) {
	if r.file == "-" {
		return &input{ReadCloser: io.NopCloser(r.In)}, nil
	}
	file, err := os.Open(r.file)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	in := &input{ReadCloser: file}
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("--file: %w", err), file.Close())
	case info.IsDir():
		return nil, errors.Join(usageError{fmt.Errorf("--file: %s is a directory", r.file)}, file.Close())
	case info.Mode().IsRegular():
		// A pipe has no size.
		in.size = info.Size()
	}
	return in, nil
}
