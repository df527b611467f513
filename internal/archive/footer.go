// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxFooter limits the footer of a file. The operator writes up to 20 KB, and more if a user has
	// a very long name.
	maxFooter = 1 << 20
	// maxRows limits the rows of a file. The operator writes up to MaxRecords.
	maxRows = 10 * MaxRecords
	// maxGroups limits the row groups of a file. The operator writes one.
	maxGroups = 100
	// maxUncompressed limits the columns of a file before compression. They repeat the texts of a
	// batch, and JSON needs up to six bytes for a character.
	maxUncompressed = 4 * maxBytes
)

// readFooter returns the footer of a file. It returns an error if the operator can't have written
// the file.
func readFooter(file io.ReaderAt, size int64) (*format.FileMetaData, error) {
	// The last 8 bytes are the length of the footer and the magic number.
	var end [8]byte
	if size < int64(len(end)) {
		return nil, errors.New("is too short for a Parquet file")
	}
	if _, err := file.ReadAt(end[:], size-int64(len(end))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(end[:4])
	if string(end[4:]) != "PAR1" || length > maxFooter || int64(length) > size-int64(len(end)) {
		return nil, errors.New("is not a Parquet file of the archive, or is cut off")
	}
	footer := &format.FileMetaData{}
	if _, err := readThrift(file, size-int64(len(end))-int64(length), int64(length), footer); err != nil {
		return nil, fmt.Errorf("read the footer: %w", err)
	}
	if err := checkKey(footer); err != nil {
		return nil, err
	}
	return footer, errors.Join(checkSize(footer), checkSchema(footer))
}

// checkKey returns an error if the operator did not write a file, or not with this schema.
func checkKey(footer *format.FileMetaData) error {
	for _, pair := range footer.KeyValueMetadata {
		if pair.Key != keySchema {
			continue
		}
		if pair.Value != strconv.Itoa(schemaVersion) {
			return fmt.Errorf("has the schema %s, which this operator can't read", pair.Value)
		}
		return nil
	}
	return errors.New("was not written by the operator: it lacks the key " + keySchema)
}

// checkSize returns an error if a file is larger than the operator writes them.
func checkSize(footer *format.FileMetaData) error {
	if rows, groups := footer.NumRows, len(footer.RowGroups); rows < 0 || rows > maxRows || groups > maxGroups {
		return fmt.Errorf("has %d rows in %d groups, which is more than the operator writes", rows, groups)
	}
	total := int64(0)
	for i := range footer.RowGroups {
		for j := range footer.RowGroups[i].Columns {
			column := &footer.RowGroups[i].Columns[j].MetaData
			if column.Codec != format.Zstd && column.Codec != format.Uncompressed {
				return fmt.Errorf("has a column that is compressed with %s, which the operator does not use", column.Codec)
			}
			if total += column.TotalUncompressedSize; column.TotalUncompressedSize < 0 || total > maxUncompressed {
				return errors.New("is larger than the operator writes")
			}
		}
	}
	return nil
}
