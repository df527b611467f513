// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"joberror.io/operator/internal/plugin/rows"
)

// refusal is a row that was refused.
type refusal struct {
	row    rows.Row
	code   int32
	reason string
}

// encode returns a refused row as one JSON object. A row that is not valid JSON becomes a string.
func (r refusal) encode() ([]byte, error) {
	row := json.RawMessage(r.row.JSON)
	if !json.Valid(row) {
		text, err := json.Marshal(string(r.row.JSON))
		if err != nil {
			return nil, fmt.Errorf("encode the row: %w", err)
		}
		row = text
	}
	return json.Marshal(struct {
		Line    int             `json:"line"`
		Code    int32           `json:"code"`
		Message string          `json:"message"`
		Row     json.RawMessage `json:"row"`
	}{r.row.Number, r.code, r.reason, row})
}

// refusals lists refused rows on standard error, and writes them to a file.
type refusals struct {
	out   io.Writer
	file  *os.File
	count int
}

func (r *reportOptions) openRefused() (*refusals, error) {
	refused := &refusals{out: r.ErrOut}
	if r.refusedFile == "" {
		return refused, nil
	}
	if absolute(r.refusedFile) == absolute(r.file) {
		return nil, usageError{errors.New("--refused: must not be the file with the rows")}
	}
	mode := os.O_TRUNC
	if r.fromLine > 1 {
		mode = os.O_APPEND
	}
	var err error
	if refused.file, err = os.OpenFile(r.refusedFile, os.O_CREATE|os.O_WRONLY|mode, 0o666); err != nil {
		return nil, fmt.Errorf("--refused: %w", err)
	}
	return refused, nil
}

func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

func (r *refusals) add(refused refusal) error {
	if r.count++; r.count <= maxListedRefusals {
		fmt.Fprintf(r.out, "line %d: %s\n", refused.row.Number, refused.reason)
	}
	if r.file == nil {
		return nil
	}
	line, err := refused.encode()
	if err == nil {
		_, err = r.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("--refused: write line %d: %w", refused.row.Number, err)
	}
	return nil
}

func (r *refusals) close() error {
	if r.file == nil {
		return nil
	}
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("--refused: %w", err)
	}
	return nil
}
