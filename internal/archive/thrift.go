// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// maxList limits the elements of a list in the metadata of a file. The longest lists have an
// element for each page of a column.
const maxList = maxPages

// readThrift decodes a structure of Parquet's metadata at an offset of a file, and returns its
// length.
func readThrift(file io.ReaderAt, offset, length int64, to any) (int64, error) {
	data := make([]byte, length)
	if n, err := file.ReadAt(data, offset); n < len(data) {
		return 0, err
	}
	reader := shortLists{new(thrift.CompactProtocol).NewReaderFromBytes(data)}
	if err := thrift.NewDecoder(reader).Decode(to); err != nil {
		return 0, err
	}
	return int64(reader.BytesRead()), nil
}

type thriftReader = thrift.Reader

// shortLists reads Thrift and refuses long lists: the decoder allocates a list before it reads
// the elements.
type shortLists struct{ thriftReader }

// ReadList reads the start of a list.
func (r shortLists) ReadList() (thrift.List, error) {
	list, err := r.thriftReader.ReadList()
	if err == nil && list.Size > maxList {
		err = fmt.Errorf("a list has %d elements, which is more than the operator writes", list.Size)
	}
	return list, err
}
