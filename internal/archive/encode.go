// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"k8s.io/apimachinery/pkg/types"
)

// Keys of a file's metadata.
const (
	keySchema  = "joberror.io/schema"
	keyCluster = "joberror.io/cluster"
)

// bitsPerValue sets the size of the bloom filters. With it, one in a hundred lookups reads an
// object that does not have the value.
const bitsPerValue = 10

// filtered holds the columns with a bloom filter.
var filtered = []string{"job_name", "job_uid", "uid"}

// texts holds the columns whose smallest and largest values would only make the file larger.
var texts = []string{"extracted", "generated", "message", "object"}

// encode returns a batch as a Parquet file.
func encode(cluster types.UID, entries []Entry, archivedAt time.Time) ([]byte, error) {
	records := make([]Record, len(entries))
	for i, e := range entries {
		var err error
		if records[i], err = recordOf(e, archivedAt); err != nil {
			return nil, err
		}
	}
	filters := make([]parquet.BloomFilterColumn, len(filtered))
	for i, column := range filtered {
		filters[i] = parquet.SplitBlockFilter(bitsPerValue, column)
	}
	// The bloom filters are next to the footer, so that one read has both.
	options := []parquet.WriterOption{
		parquet.DataPageStatistics(false),
		parquet.Compression(&parquet.Zstd), parquet.BloomFilters(filters...), parquet.CreatedBy("joberror-operator", strconv.Itoa(schemaVersion), ""),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("job_name"), parquet.Ascending("created_at"))),
		parquet.PageBufferSize(64 << 10), parquet.DeferBloomFiltersWithBuffers(parquet.NewBufferPool()),
		parquet.KeyValueMetadata(keySchema, strconv.Itoa(schemaVersion)), parquet.KeyValueMetadata(keyCluster, string(cluster)),
	}
	for _, column := range texts {
		options = append(options, parquet.SkipPageBounds(column))
	}
	var file bytes.Buffer
	writer := parquet.NewGenericWriter[Record](&file, options...)
	_, err := writer.Write(records)
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encode %d records: %w", len(records), err)
	}
	return file.Bytes(), nil
}
