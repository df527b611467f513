// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package rows reads the rows of a report, one JSON object per line or an array of objects,
// and holds one row at a time.
package rows

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// maxRow limits a row, in bytes. A request may have 4 MiB.
const maxRow = 3 << 20

// Row is one row.
type Row struct {
	// Number is the number of its line, or its place in an array, from 1.
	Number int
	// JSON is the object, or the text of the line if it is not one.
	JSON []byte
	// Problem says why it can't be reported. It is empty if it can.
	Problem string
}

// Reader reads rows.
type Reader struct {
	in    *bufio.Reader
	array *json.Decoder
	count int
	begun bool
}

// NewReader returns a reader of rows.
func NewReader(in io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(in, 64<<10)} }

// Next returns the next row, or io.EOF after the last one. Other errors mean that the rest
// can't be read.
func (r *Reader) Next() (Row, error) {
	if !r.begun {
		r.begun = true
		if err := r.begin(); err != nil {
			return Row{}, err
		}
	}
	if r.array != nil {
		return r.nextElement()
	}
	return r.nextLine()
}

// begin skips a byte order mark and space, and finds out whether there is an array.
func (r *Reader) begin() error {
	if mark, _ := r.in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := r.in.Discard(len(mark)); err != nil {
			return fmt.Errorf("read the rows: %w", err)
		}
	}
	for {
		c, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the rows: %w", err)
		}
		if c == '\n' {
			r.count++
		}
		if unicode.IsSpace(rune(c)) {
			continue
		}
		if err := r.in.UnreadByte(); err != nil {
			return fmt.Errorf("read the rows: %w", err)
		}
		if c != '[' {
			return nil
		}
		r.count = 0
		r.array = json.NewDecoder(r.in)
		if _, err := r.array.Token(); err != nil {
			return fmt.Errorf("read the array: %w", err)
		}
		return nil
	}
}

func (r *Reader) nextElement() (Row, error) {
	if !r.array.More() {
		if _, err := r.array.Token(); err != nil {
			return Row{}, fmt.Errorf("read the array after row %d: %w", r.count, noEOF(err))
		}
		if _, err := r.array.Token(); !errors.Is(err, io.EOF) {
			return Row{}, fmt.Errorf("read the array: there is more after its end, row %d", r.count)
		}
		return Row{}, io.EOF
	}
	var element json.RawMessage
	if err := r.array.Decode(&element); err != nil {
		return Row{}, fmt.Errorf("read the array: row %d: %w", r.count+1, noEOF(err))
	}
	r.count++
	return check(Row{Number: r.count, JSON: element}), nil
}

// noEOF returns an error that does not look like the end of the rows.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *Reader) nextLine() (Row, error) {
	for {
		line, tooLong, err := r.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return Row{}, fmt.Errorf("read line %d: %w", r.count+1, err)
		}
		ended := err != nil
		if ended && len(line) == 0 {
			return Row{}, io.EOF
		}
		r.count++
		row := Row{Number: r.count, JSON: bytes.TrimSpace(line)}
		switch {
		case tooLong:
			row.Problem = fmt.Sprintf("the line has more than %d bytes", maxRow)
			row.JSON = append(row.JSON[:min(len(row.JSON), 100)], "…"...)
			return row, nil
		case len(row.JSON) > 0:
			return check(row), nil
		case ended:
			return Row{}, io.EOF
		}
	}
}

// readLine reads a line, and drops what exceeds maxRow.
func (r *Reader) readLine() (line []byte, tooLong bool, err error) {
	for {
		part, err := r.in.ReadSlice('\n')
		if len(line)+len(part) > maxRow {
			tooLong = true
			part = part[:max(0, maxRow-len(line))]
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}

// check sets the problem of a row that is not an object in JSON.
func check(row Row) Row {
	var object map[string]json.RawMessage
	err := json.Unmarshal(row.JSON, &object)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		row.Problem = fmt.Sprintf("is not valid JSON: %v at byte %d", syntax, syntax.Offset)
	case err != nil || object == nil:
		row.Problem = "must be an object with the fields of an error"
	case !utf8.Valid(row.JSON):
		row.Problem = "is not valid UTF-8"
	case len(row.JSON) > maxRow:
		row.Problem = fmt.Sprintf("has more than %d bytes", maxRow)
	}
	return row
}
