// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxIndexes limits the indexes of the pages of a file.
	maxIndexes = 1 << 20
	// filterHeader limits what is read to find the header of a bloom filter.
	filterHeader = 64
)

// checkIndexes returns an error if the indexes or bloom filters of a file are larger than the
// operator writes them. The decoder allocates what they say.
func checkIndexes(file io.ReaderAt, size int64, footer *format.FileMetaData) error {
	total := int64(0)
	for i := range footer.RowGroups {
		for j := range footer.RowGroups[i].Columns {
			column := &footer.RowGroups[i].Columns[j]
			total += int64(column.ColumnIndexLength) + int64(column.OffsetIndexLength)
			if column.ColumnIndexLength < 0 || column.OffsetIndexLength < 0 || total > maxIndexes {
				return errors.New("has indexes that are larger than the operator writes")
			}
			if err := errors.Join(
				checkIndex(file, column.ColumnIndexOffset, column.ColumnIndexLength, &format.ColumnIndex{}),
				checkIndex(file, column.OffsetIndexOffset, column.OffsetIndexLength, &format.OffsetIndex{}),
				checkFilter(file, size, &column.MetaData),
			); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkIndex(file io.ReaderAt, offset int64, length int32, index any) error {
	if length == 0 {
		return nil
	}
	if _, err := readThrift(file, offset, int64(length), index); err != nil {
		return fmt.Errorf("read the index of a column: %w", err)
	}
	return nil
}

// checkFilter returns an error if the bloom filter of a column is compressed.
func checkFilter(file io.ReaderAt, size int64, column *format.ColumnMetaData) error {
	offset := column.BloomFilterOffset
	if offset == 0 || !slices.Contains(filtered, column.PathInSchema[0]) {
		return nil
	}
	if offset < 0 || offset >= size {
		return errors.New("has a bloom filter outside of the file")
	}
	header := &format.BloomFilterHeader{}
	if _, err := readThrift(file, offset, min(filterHeader, size-offset), header); err != nil {
		return fmt.Errorf("read the header of a bloom filter: %w", err)
	}
	if _, plain := header.Compression.Value.(*format.BloomFilterUncompressed); !plain {
		return errors.New("has a bloom filter that is compressed, which the operator does not do")
	}
	return nil
}
