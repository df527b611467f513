// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxPage limits a page before and after compression. The decoder allocates what the header of
	// a page says, before it reads the page.
	maxPage = maxBytes
	// maxPages limits the pages of a column.
	maxPages = 10_000
	// shortHeader and longHeader limit what is read to find the header of a page: first the short
	// one, then the long one.
	shortHeader, longHeader = 256, 64 << 10
)

// chunkPages checks a column's pages in a row group.
type chunkPages struct {
	file  io.ReaderAt
	codec format.CompressionCodec
	// start and end hold the offsets of the column in the file. data holds the offset of the first
	// page after the dictionary.
	start, data, end int64
	rows             int64
	// uncompressed holds the size of the column before compression.
	uncompressed int64
	index        parquet.OffsetIndex
}

// pagesOf returns the pages of a column.
func pagesOf(file io.ReaderAt, size int64, group parquet.RowGroup, chunk *format.ColumnMetaData, column int) (*chunkPages, error) {
	p := &chunkPages{
		file: file, codec: chunk.Codec, start: chunk.DataPageOffset, data: chunk.DataPageOffset,
		rows: group.NumRows(), uncompressed: chunk.TotalUncompressedSize,
	}
	if chunk.DictionaryPageOffset != 0 {
		p.start = chunk.DictionaryPageOffset
	}
	p.end = p.start + chunk.TotalCompressedSize
	if p.start < 0 || p.data < p.start || p.end < p.data || p.end > size {
		return nil, fmt.Errorf("column %d is outside of the file", column)
	}
	// Without an index, each page is checked.
	index, err := group.ColumnChunks()[column].OffsetIndex()
	if err != nil && !errors.Is(err, parquet.ErrMissingOffsetIndex) {
		return nil, fmt.Errorf("read the index of column %d: %w", column, err)
	}
	p.index = index
	return p, nil
}

// checkAll checks each page.
func (p *chunkPages) checkAll() error {
	uncompressed, err := p.checkDictionary()
	if err != nil {
		return err
	}
	offset := p.data
	for range maxPages {
		if offset >= p.end {
			return p.checkTotal(uncompressed)
		}
		page, err := p.check(offset)
		if err != nil {
			return err
		}
		offset, uncompressed = page.end, uncompressed+page.uncompressed
	}
	return fmt.Errorf("has more than %d pages in a column", maxPages)
}

// checkRows checks the dictionary and the pages that a reader of these rows reads. The reader
// finds the first page by the index and then follows the pages, so each must end where the index
// says.
func (p *chunkPages) checkRows(numbers []int64) error {
	if p.index == nil {
		return p.checkAll()
	}
	pages := p.index.NumPages()
	if pages == 0 || pages > maxPages {
		return fmt.Errorf("has %d pages in a column", pages)
	}
	uncompressed, err := p.checkDictionary()
	if err != nil {
		return err
	}
	last := -1
	for _, number := range numbers {
		// The reader may go on to the next page.
		first := sort.Search(pages, func(i int) bool { return p.index.FirstRowIndex(i) > number }) - 1
		for page := max(first, last+1, 0); page < pages && p.index.FirstRowIndex(page) <= number+1; page++ {
			checked, err := p.check(p.index.Offset(page))
			if err != nil {
				return err
			}
			if end, rows := p.indexed(page); checked.end != end || checked.rows != rows {
				return fmt.Errorf("has a page of %d rows up to %d, but %d up to %d in its index", checked.rows, checked.end, rows, end)
			}
			uncompressed += checked.uncompressed
			last = page
		}
	}
	return p.checkTotal(uncompressed)
}

// indexed returns the end of a page and its number of rows according to the index.
func (p *chunkPages) indexed(page int) (end, rows int64) {
	first := p.index.FirstRowIndex(page)
	if next := page + 1; next < p.index.NumPages() {
		return p.index.Offset(next), p.index.FirstRowIndex(next) - first
	}
	return p.end, p.rows - first
}

// checkDictionary checks the dictionary, if there is one, and returns its size before compression.
func (p *chunkPages) checkDictionary() (uncompressed int64, err error) {
	if p.start == p.data {
		return 0, nil
	}
	page, err := p.check(p.start)
	if err == nil && page.end != p.data {
		err = errors.New("has a dictionary that does not end at the first page")
	}
	return page.uncompressed, err
}

// checkTotal returns an error if pages are larger than the column, whose size checkSize limits.
func (p *chunkPages) checkTotal(uncompressed int64) error {
	if uncompressed > p.uncompressed {
		return fmt.Errorf("has pages of %d bytes in a column of %d", uncompressed, p.uncompressed)
	}
	return nil
}

// checkedPage describes a page that has passed its check.
type checkedPage struct {
	// end holds the offset of the next page.
	end int64
	// uncompressed holds the size before compression.
	uncompressed int64
	// rows is 0 for a dictionary.
	rows int64
}

// check checks the page at an offset.
func (p *chunkPages) check(offset int64) (checkedPage, error) {
	if offset < p.start || offset >= p.end {
		return checkedPage{}, errors.New("has a page outside of its column")
	}
	header, length, err := p.header(offset, shortHeader)
	if err != nil {
		header, length, err = p.header(offset, longHeader)
	}
	if err != nil {
		return checkedPage{}, fmt.Errorf("read the header of the page at %d: %w", offset, err)
	}
	size, uncompressed := int64(header.CompressedPageSize), int64(header.UncompressedPageSize)
	values := max(header.DataPageHeader.V.NumValues, header.DataPageHeaderV2.V.NumValues, header.DictionaryPageHeader.V.NumValues)
	if size < 0 || size > min(maxPage, p.end-offset-length) || uncompressed < 0 || uncompressed > maxPage || values > maxRows {
		return checkedPage{}, fmt.Errorf("the page at %d has %d bytes, %d before compression, and %d values: more than the operator writes",
			offset, size, uncompressed, values)
	}
	content := make([]byte, size)
	if n, err := p.file.ReadAt(content, offset+length); n < len(content) {
		return checkedPage{}, fmt.Errorf("read the page at %d: %w", offset, err)
	}
	if err := checkContent(header, content, p.codec); err != nil {
		return checkedPage{}, fmt.Errorf("the page at %d %w", offset, err)
	}
	return checkedPage{offset + length + size, uncompressed, int64(header.DataPageHeaderV2.V.NumRows)}, nil
}

// header returns the header of a page and its length.
func (p *chunkPages) header(offset, limit int64) (*format.PageHeader, int64, error) {
	header := &format.PageHeader{}
	length, err := readThrift(p.file, offset, min(limit, p.end-offset), header)
	return header, length, err
}
