// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// TestAHugePageIsRefused replaces the header of a page: the decoder would allocate 2 GiB for it.
func TestAHugePageIsRefused(t *testing.T) {
	whole, err := encode(cluster, []Entry{full()}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"job_name", "created_at", "message", "object", "class"} {
		for name, change := range map[string]func(*format.PageHeader){
			"uncompressed": func(h *format.PageHeader) { h.UncompressedPageSize = 1<<31 - 1 },
			"compressed":   func(h *format.PageHeader) { h.CompressedPageSize = 1<<31 - 1 },
			"negative":     func(h *format.PageHeader) { h.CompressedPageSize = -1 },
			"values": func(h *format.PageHeader) {
				h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues = 1<<31-1, 1<<31-1, 1<<31-1
			},
		} {
			data := withHeader(t, whole, column, change)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			names, err := scanAll(data, query("load"))
			runtime.ReadMemStats(&after)
			if err == nil || len(names) > 0 || !strings.Contains(err.Error(), "more than the operator writes") {
				t.Errorf("%s of %s: found %v: %v", name, column, names, err)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 100<<20 {
				t.Errorf("%s of %s: allocated %d bytes", name, column, allocated)
			}
		}
	}
}

// withHeader returns a file whose first page of a column has a changed header.
func withHeader(t *testing.T, whole []byte, column string, change func(*format.PageHeader)) []byte {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := file.Schema().Lookup(column)
	chunks, err := chunksOf(file, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := chunks[leaf.ColumnIndex]
	header, _, err := p.header(p.start, shortHeader)
	if err != nil {
		t.Fatal(err)
	}
	change(header)
	changed, err := thrift.Marshal(new(thrift.CompactProtocol), header)
	if err != nil {
		t.Fatal(err)
	}
	// The header no longer fits the page, which is not read if the header is refused.
	data := bytes.Clone(whole)
	copy(data[p.start:], changed)
	return data
}

func TestThePagesOfManyRowsAreChecked(t *testing.T) {
	t.Parallel()
	data, err := encode(cluster, many(200), now)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := chunksOf(file, 0)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for i, chunk := range chunks {
		most = max(most, chunk.index.NumPages())
		if err := chunk.checkAll(); err != nil {
			t.Errorf("column %d: %v", i, err)
		}
		for number := range file.NumRows() {
			if err := chunk.checkRows([]int64{number}); err != nil {
				t.Fatalf("column %d, row %d: %v", i, number, err)
			}
		}
	}
	if most < 10 {
		t.Errorf("the largest column has only %d pages", most)
	}
	for _, job := range []int{0, 99, 199} {
		if names, err := scanAll(data, query(fmt.Sprintf("job-%05d", job))); err != nil || len(names) != 10 {
			t.Errorf("found %v of job %d: %v", names, job, err)
		}
	}
}
