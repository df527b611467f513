// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// maxValue limits a value of a dictionary, which many rows may repeat. No object of the API server
// is larger.
const maxValue = 2 << 20

// errContent means that the content of a page does not fit its header.
var errContent = errors.New("has another content than its header says")

// checkContent returns an error if the content of a page needs more memory than its header says.
// The decoder trusts the lengths in the content. Only what the operator writes is allowed.
func checkContent(header *format.PageHeader, content []byte, codec format.CompressionCodec) error {
	compressed := codec == format.Zstd
	var encoding format.Encoding
	switch header.Type {
	case format.DictionaryPage:
		if encoding = header.DictionaryPageHeader.V.Encoding; encoding != format.Plain {
			return errEncoding(encoding)
		}
	case format.DataPageV2:
		data := &header.DataPageHeaderV2.V
		encoding = data.Encoding
		compressed = compressed && (!data.IsCompressed.Valid || data.IsCompressed.V)
		levels := int(data.DefinitionLevelsByteLength)
		// Without levels, each row has a value.
		if data.RepetitionLevelsByteLength != 0 || levels < 0 || levels > len(content) || data.NumRows != data.NumValues ||
			levels == 0 && data.NumNulls != 0 {
			return errContent
		}
		if err := checkRuns(content[:levels], 1); err != nil {
			return err
		}
		content = content[levels:]
	default:
		return fmt.Errorf("is of the type %s, which the operator does not write", header.Type)
	}
	if compressed {
		var err error
		if content, err = decompress(content, int(header.UncompressedPageSize)); err != nil {
			return err
		}
	}
	switch {
	case header.Type == format.DictionaryPage && header.DictionaryPageHeader.V.NumValues > 0:
		return checkDictionary(content)
	case encoding == format.Plain, len(content) == 0:
		return nil
	case encoding == format.RLEDictionary:
		return checkRuns(content[1:], int(content[0]))
	case encoding == format.DeltaLengthByteArray:
		return checkLengths(content)
	}
	return errEncoding(encoding)
}

func errEncoding(encoding format.Encoding) error {
	return fmt.Errorf("has the encoding %s, which the operator does not use", encoding)
}

// decompressor decodes only what fits into the buffer that it is given.
var decompressor = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true))
})

// decompress returns the data of a page. A zstd frame of a few KB may have gigabytes.
func decompress(data []byte, size int) ([]byte, error) {
	decoder, err := decompressor()
	if err != nil {
		return nil, fmt.Errorf("can't be decompressed: %w", err)
	}
	content, err := decoder.DecodeAll(data, make([]byte, 0, size))
	if err != nil {
		return nil, fmt.Errorf("can't be decompressed to %d bytes: %w", size, err)
	}
	return content, nil
}

// checkRuns returns an error if runs have more values than a page has. A few bytes may have
// billions. width is the bits of a value.
func checkRuns(data []byte, width int) error {
	for total := uint64(0); len(data) > 0; {
		header, n := binary.Uvarint(data)
		// The last bit says whether each value is written, in groups of eight.
		count, length := header>>1, uint64(width+7)/8
		if n <= 0 || width > 32 || count > maxRows {
			return errContent
		}
		if header&1 == 1 {
			count, length = 8*count, count*uint64(width)
		}
		if total += count; total > 2*maxRows || length > uint64(len(data)-n) {
			return errContent
		}
		data = data[uint64(n)+length:]
	}
	return nil
}

// checkLengths returns an error if a list of texts is longer than a page. It begins with the
// lengths: the size of their blocks, the parts of a block, and how many there are.
func checkLengths(data []byte) error {
	for range 2 {
		_, n := binary.Uvarint(data)
		if n <= 0 {
			return errContent
		}
		data = data[n:]
	}
	if count, n := binary.Uvarint(data); n <= 0 || count > maxRows {
		return errContent
	}
	return nil
}

// checkDictionary returns an error if a dictionary has a long text.
func checkDictionary(data []byte) error {
	for len(data) >= 4 {
		length := binary.LittleEndian.Uint32(data)
		if length > maxValue || int(length) > len(data)-4 {
			return fmt.Errorf("is a dictionary with a text of %d bytes, which is more than the operator writes", length)
		}
		data = data[4+length:]
	}
	return nil
}
