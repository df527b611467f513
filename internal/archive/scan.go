// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/parquet-go/parquet-go"
)

// key holds the columns that decide whether a row matches, so that the others are read only for
// rows that do.
type key struct {
	Namespace    string    `parquet:"namespace"`
	NamespaceUID string    `parquet:"namespace_uid"`
	JobName      string    `parquet:"job_name"`
	JobUID       string    `parquet:"job_uid,optional"`
	CreatedAt    time.Time `parquet:"created_at,timestamp(millisecond)"`
}

// keyColumns holds the names of the columns of a key.
var keyColumns = []string{"namespace", "namespace_uid", "job_name", "job_uid", "created_at"}

// open opens a file of the archive. What the file says about itself is checked before the decoder
// allocates memory for it.
func open(file io.ReaderAt, size int64) (*parquet.File, error) {
	footer, err := readFooter(file, size)
	if err != nil {
		return nil, err
	}
	if err := checkIndexes(file, size, footer); err != nil {
		return nil, err
	}
	opened, err := parquet.OpenFile(file, size, parquet.SkipMagicBytes(true))
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	return opened, nil
}

// scan calls visit for each row that matches, in the order of the file. skip is how many of them
// to pass over. It returns what visit returned.
func scan(ctx context.Context, file io.ReaderAt, size int64, q Query, skip int, visit func(Record) error) (err error) {
	// The decoder panics on some damaged files, and may read outside of its memory.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file is damaged: %v", r)
		}
	}()
	opened, err := open(file, size)
	if err != nil {
		return err
	}
	for group, rows := range opened.RowGroups() {
		may, err := mayHave(rows, q.Job)
		if err != nil {
			return err
		}
		if !may {
			continue
		}
		chunks, err := chunksOf(opened, group)
		if err != nil {
			return err
		}
		for _, column := range keyColumns {
			leaf, _ := rows.Schema().Lookup(column)
			if err := chunks[leaf.ColumnIndex].checkAll(); err != nil {
				return err
			}
		}
		matches, err := matchingRows(ctx, rows, q)
		if err != nil {
			return err
		}
		passed := min(skip, len(matches))
		skip -= passed
		matches = matches[passed:]
		for _, chunk := range chunks {
			if len(matches) > 0 {
				if err := chunk.checkRows(matches); err != nil {
					return err
				}
			}
		}
		if err := load(rows, matches, visit); err != nil {
			return err
		}
	}
	return nil
}

// chunksOf returns the columns of a row group.
func chunksOf(file *parquet.File, group int) ([]*chunkPages, error) {
	rows, stored := file.RowGroups()[group], file.Metadata().RowGroups[group].Columns
	chunks := make([]*chunkPages, len(stored))
	for i := range stored {
		var err error
		if chunks[i], err = pagesOf(file, file.Size(), rows, &stored[i].MetaData, i); err != nil {
			return nil, err
		}
	}
	return chunks, nil
}

// mayHave reports whether the bloom filters allow that a job is in the rows, by name or UID.
func mayHave(rows parquet.RowGroup, job string) (bool, error) {
	filters := 0
	for _, column := range []string{"job_name", "job_uid"} {
		leaf, _ := rows.Schema().Lookup(column)
		filter := rows.ColumnChunks()[leaf.ColumnIndex].BloomFilter()
		if filter == nil {
			continue
		}
		filters++
		has, err := filter.Check(parquet.ValueOf(job))
		if err != nil {
			return false, fmt.Errorf("read the bloom filter of %s: %w", column, err)
		}
		if has {
			return true, nil
		}
	}
	return filters < 2, nil
}

// matchingRows returns the numbers of the rows that match.
func matchingRows(ctx context.Context, rows parquet.RowGroup, q Query) (matches []int64, err error) {
	reader := parquet.NewGenericRowGroupReader[key](rows)
	defer func() { err = errors.Join(err, reader.Close()) }()
	// A row may have long texts, which are copied.
	buffer := make([]key, 16)
	for number := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := reader.Read(buffer)
		for i := range n {
			if q.matches(&buffer[i]) {
				matches = append(matches, number)
			}
			number++
		}
		if errors.Is(err, io.EOF) {
			return matches, nil
		}
		if err == nil && n == 0 || number > maxRows {
			err = io.ErrNoProgress
		}
		if err != nil {
			return nil, fmt.Errorf("read the keys: %w", err)
		}
	}
}

// load reads these rows whole.
func load(rows parquet.RowGroup, numbers []int64, visit func(Record) error) (err error) {
	if len(numbers) == 0 {
		return nil
	}
	reader := parquet.NewGenericRowGroupReader[Record](rows)
	defer func() { err = errors.Join(err, reader.Close()) }()
	next := int64(0)
	buffer := make([]Record, 1)
	for _, number := range numbers {
		if number != next {
			if err := reader.SeekToRow(number); err != nil {
				return fmt.Errorf("seek to row %d: %w", number, err)
			}
		}
		next = number + 1
		buffer[0] = Record{}
		if n, err := reader.Read(buffer); n == 0 {
			return fmt.Errorf("read row %d: %w", number, err)
		}
		if err := visit(buffer[0]); err != nil {
			return err
		}
	}
	return nil
}
