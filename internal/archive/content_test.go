// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// TestAFewBytesNeedLittleMemory reads files in which a few bytes stand for much more. Each has
// sizes in its metadata that look right.
func TestAFewBytesNeedLittleMemory(t *testing.T) {
	whole, err := encode(cluster, []Entry{full()}, now)
	if err != nil {
		t.Fatal(err)
	}
	const huge = 128 << 20
	zeros := compress(t, make([]byte, huge))
	run := func(width ...byte) []byte { return append(binary.AppendUvarint(width, huge<<1), 0) }
	text := binary.LittleEndian.AppendUint32(nil, maxPage-4)
	text = append(text, make([]byte, maxPage-4)...)
	for name, tc := range map[string]struct {
		file []byte
		want string
	}{
		"a page of zeros":               {withPages(t, whole, "object", dataPage(format.DeltaLengthByteArray, 0, zeros)), "can't be decompressed"},
		"two frames in a page":          {withPages(t, whole, "object", dataPage(format.DeltaLengthByteArray, 0, append(compress(t, []byte("a")), zeros...))), "can't be decompressed"},
		"a page of zeros in the keys":   {withPages(t, whole, "created_at", dataPage(format.Plain, 0, zeros)), "can't be decompressed"},
		"a dictionary of zeros":         {withPages(t, whole, "job_name", dictionary(1024, zeros), dataPage(format.RLEDictionary, 0, compress(t, []byte{0}))), "can't be decompressed"},
		"a long run":                    {withPages(t, whole, "job_name", dictionary(1024, compress(t, []byte{1, 0, 0, 0, 'x'})), dataPage(format.RLEDictionary, 0, compress(t, run(1)))), "another content"},
		"a long run of no bits":         {withPages(t, whole, "job_name", dictionary(1024, compress(t, []byte{1, 0, 0, 0, 'x'})), dataPage(format.RLEDictionary, 0, compress(t, run(0)))), "another content"},
		"a long run of levels":          {withPages(t, whole, "job_uid", dictionary(1024, compress(t, []byte{1, 0, 0, 0, 'x'})), dataPage(format.RLEDictionary, len(run()), append(run(), compress(t, []byte{0})...))), "another content"},
		"many lengths":                  {withPages(t, whole, "object", dataPage(format.DeltaLengthByteArray, 0, compress(t, binary.AppendUvarint([]byte{0x80, 0x01, 1}, huge)))), "another content"},
		"a long text in a dictionary":   {withPages(t, whole, "job_name", dictionary(maxPage, compress(t, text)), dataPage(format.RLEDictionary, 0, compress(t, []byte{0}))), "a text of"},
		"an encoding with prefixes":     {withPages(t, whole, "object", dataPage(format.DeltaByteArray, 0, compress(t, []byte{1}))), "DELTA_BYTE_ARRAY"},
		"another compression":           {withFooter(t, whole, func(f *format.FileMetaData) { f.RowGroups[0].Columns[3].MetaData.Codec = format.Gzip }), "is compressed with GZIP"},
		"a column that is a little":     {withFooter(t, whole, func(f *format.FileMetaData) { f.RowGroups[0].Columns[4].MetaData.TotalUncompressedSize = 1 }), "in a column of 1"},
		"columns that are too much":     {withFooter(t, whole, func(f *format.FileMetaData) { f.RowGroups[0].Columns[3].MetaData.TotalUncompressedSize = huge }), "is larger than"},
		"a list in the footer":          {footerOf(whole, []byte{0x29, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x01}), "a list has 268435456 elements"},
		"a list in an index":            {withIndex(t, whole, []byte{0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x01}), "a list has 268435456 elements"},
		"a bloom filter with a gzip":    {withFilter(t, whole), "bloom filter that is compressed"},
		"a page of an earlier version":  {withPages(t, whole, "object", page{format.PageHeader{Type: format.DataPage}, zeros}), "is of the type DATA_PAGE"},
		"indexes larger than the limit": {withFooter(t, whole, func(f *format.FileMetaData) { f.RowGroups[0].Columns[0].ColumnIndexLength = maxIndexes + 1 }), "has indexes"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		names, err := scanAll(tc.file, query("load"))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), tc.want) || len(names) > 0 {
			t.Errorf("%s: found %v: %v, want %q", name, names, err, tc.want)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2*maxPage {
			t.Errorf("%s: allocated %d bytes for a file of %d", name, allocated, len(tc.file))
		}
	}
}

// TestAnIndexThatLiesIsRefused changes the index of a column with several pages: the reader would
// go on to a page that was not checked.
func TestAnIndexThatLiesIsRefused(t *testing.T) {
	t.Parallel()
	whole, err := encode(cluster, many(50), now)
	if err != nil {
		t.Fatal(err)
	}
	unchanged := withIndexes(t, whole, func([]format.PageLocation) {})
	if names, err := scanAll(unchanged, query("job-00001")); err != nil || len(names) != 10 {
		t.Errorf("unchanged indexes: found %v: %v", names, err)
	}
	for name, change := range map[string]func([]format.PageLocation){
		"fewer rows in a page": func(pages []format.PageLocation) { pages[1].FirstRowIndex += 5 },
		"another next page":    func(pages []format.PageLocation) { pages[1].Offset++ },
	} {
		if names, err := scanAll(withIndexes(t, whole, change), query("job-00001")); err == nil || !strings.Contains(err.Error(), "in its index") || len(names) > 0 {
			t.Errorf("%s: found %v: %v", name, names, err)
		}
	}
}

// page holds a page to write into a file. Its header may contradict its content.
type page struct {
	header  format.PageHeader
	content []byte
}

// dataPage returns a page of one value that claims to have 1 KB.
func dataPage(encoding format.Encoding, levels int, content []byte) page {
	header := format.PageHeader{Type: format.DataPageV2, UncompressedPageSize: 1024}
	header.DataPageHeaderV2.Valid = true
	header.DataPageHeaderV2.V = format.DataPageHeaderV2{NumValues: 1, NumRows: 1, Encoding: encoding, DefinitionLevelsByteLength: int32(levels)}
	return page{header, content}
}

// dictionary returns a dictionary of one value that claims to have a size.
func dictionary(size int32, content []byte) page {
	header := format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: size}
	header.DictionaryPageHeader.Valid = true
	header.DictionaryPageHeader.V = format.DictionaryPageHeader{NumValues: 1, Encoding: format.Plain}
	return page{header, content}
}

func compress(t *testing.T, data []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return encoder.EncodeAll(data, nil)
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	data, err := thrift.Marshal(new(thrift.CompactProtocol), value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// withoutFooter returns a file without its footer, and the footer.
func withoutFooter(t *testing.T, whole []byte) ([]byte, *format.FileMetaData) {
	t.Helper()
	footer, err := readFooter(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(whole[:len(whole)-8-int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))]), footer
}

// footerOf returns data with a footer.
func footerOf(data, footer []byte) []byte {
	data = append(bytes.Clone(data), footer...)
	return append(binary.LittleEndian.AppendUint32(data, uint32(len(footer))), "PAR1"...)
}

// withFooter returns a file with a changed footer.
func withFooter(t *testing.T, whole []byte, change func(*format.FileMetaData)) []byte {
	t.Helper()
	data, footer := withoutFooter(t, whole)
	change(footer)
	return footerOf(data, marshal(t, footer))
}

// withPages returns a file with other pages of a column, and without indexes.
func withPages(t *testing.T, whole []byte, column string, pages ...page) []byte {
	t.Helper()
	data, footer := withoutFooter(t, whole)
	columns := footer.RowGroups[0].Columns
	for i := range columns {
		c := &columns[i]
		c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
		if c.MetaData.PathInSchema[0] != column {
			continue
		}
		start := int64(len(data))
		c.MetaData.DictionaryPageOffset, c.MetaData.TotalUncompressedSize = 0, 0
		for _, p := range pages {
			p.header.CompressedPageSize = int32(len(p.content))
			if p.header.Type == format.DictionaryPage {
				c.MetaData.DictionaryPageOffset = start
			} else {
				c.MetaData.DataPageOffset = int64(len(data))
			}
			c.MetaData.TotalUncompressedSize += int64(p.header.UncompressedPageSize)
			data = append(append(data, marshal(t, &p.header)...), p.content...)
		}
		c.MetaData.TotalCompressedSize = int64(len(data)) - start
	}
	return footerOf(data, marshal(t, footer))
}

// withIndex returns a file with another index of a column.
func withIndex(t *testing.T, whole, index []byte) []byte {
	t.Helper()
	data, footer := withoutFooter(t, whole)
	c := &footer.RowGroups[0].Columns[0]
	c.OffsetIndexOffset, c.OffsetIndexLength = int64(len(data)), int32(len(index))
	return footerOf(append(data, index...), marshal(t, footer))
}

// withIndexes returns a file with the pages of large columns changed in their indexes.
func withIndexes(t *testing.T, whole []byte, change func([]format.PageLocation)) []byte {
	t.Helper()
	data, footer := withoutFooter(t, whole)
	columns := footer.RowGroups[0].Columns
	for i := range columns {
		var index format.OffsetIndex
		if _, err := readThrift(bytes.NewReader(whole), columns[i].OffsetIndexOffset, int64(columns[i].OffsetIndexLength), &index); err != nil {
			t.Fatal(err)
		}
		if len(index.PageLocations) > 1 {
			change(index.PageLocations)
		}
		changed := marshal(t, &index)
		columns[i].OffsetIndexOffset, columns[i].OffsetIndexLength = int64(len(data)), int32(len(changed))
		data = append(data, changed...)
	}
	return footerOf(data, marshal(t, footer))
}

// withFilter returns a file with a bloom filter that is compressed.
func withFilter(t *testing.T, whole []byte) []byte {
	t.Helper()
	data, footer := withoutFooter(t, whole)
	for i := range footer.RowGroups[0].Columns {
		c := &footer.RowGroups[0].Columns[i].MetaData
		if c.PathInSchema[0] != "job_name" {
			continue
		}
		header := format.BloomFilterHeader{}
		if _, err := readThrift(bytes.NewReader(data), c.BloomFilterOffset, filterHeader, &header); err != nil {
			t.Fatal(err)
		}
		header.Compression.Value = &format.BloomFilterGzip{}
		c.BloomFilterOffset = int64(len(data))
		data = append(data, marshal(t, &header)...)
	}
	return footerOf(data, marshal(t, footer))
}
