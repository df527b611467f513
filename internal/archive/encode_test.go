// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// many returns errors of so many Jobs, 10 for each, with messages of about 1,000 bytes.
func many(jobs int) []Entry {
	entries := make([]Entry, 0, 10*jobs)
	random := rand.New(rand.NewPCG(1, 2)) // #nosec G404
	for job := range jobs {
		for n := range 10 {
			e := entry(n, fmt.Sprintf("job-%05d", job), fmt.Sprintf("2026-11-20T%02d:%02d:00Z", job%24, n))
			text := make([]byte, 500)
			for i := range text {
				text[i] = byte(random.Uint32())
			}
			e.Error.Spec.Message = fmt.Sprintf("%x", text)
			entries = append(entries, e)
		}
	}
	return entries
}

func TestTheFileIsSortedAndHasBloomFilters(t *testing.T) {
	t.Parallel()
	entries := many(20)
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	data, err := encode(cluster, batches(entries)[0].entries, now)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := file.Lookup(keyCluster); id != string(cluster) || len(file.RowGroups()) != 1 {
		t.Errorf("the file names the cluster %q and has %d row groups", id, len(file.RowGroups()))
	}
	group := file.RowGroups()[0]
	for _, column := range []string{"job_name", "job_uid", "uid"} {
		leaf, _ := group.Schema().Lookup(column)
		filter := group.ColumnChunks()[leaf.ColumnIndex].BloomFilter()
		if filter == nil {
			t.Fatalf("%s has no bloom filter", column)
		}
		present := map[string]string{"job_name": "job-00007", "job_uid": "job-job-00007", "uid": "uid-job-00007-3"}[column]
		if has, err := filter.Check(parquet.ValueOf(present)); err != nil || !has {
			t.Errorf("the filter of %s lacks %s: %v", column, present, err)
		}
		wrong := 0
		for i := range 1000 {
			if has, err := filter.Check(parquet.ValueOf(fmt.Sprintf("none-%d", i))); err != nil {
				t.Fatal(err)
			} else if has {
				wrong++
			}
		}
		if wrong > 30 {
			t.Errorf("the filter of %s has %d of 1000 values that are not in the file", column, wrong)
		}
	}
	for i := range group.ColumnChunks() {
		if codec := file.Metadata().RowGroups[0].Columns[i].MetaData.Codec; codec != format.Zstd {
			t.Errorf("column %d is compressed with %v", i, codec)
		}
	}
	rows := make([]Record, len(entries)+1)
	reader := parquet.NewGenericReader[Record](file)
	defer reader.Close()
	if n, err := reader.Read(rows); n != len(entries) || err != io.EOF { //nolint:errorlint // Read returns it as it is.
		t.Fatalf("read %d rows: %v", n, err)
	}
	if !slices.IsSortedFunc(rows[:len(entries)], func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.JobName, b.JobName), a.CreatedAt.Compare(b.CreatedAt))
	}) {
		t.Error("the rows are not sorted by Job and time")
	}
}

func TestAJobCostsFewRequests(t *testing.T) {
	t.Parallel()
	file, err := encode(cluster, many(MaxRecords/10), now)
	if err != nil {
		t.Fatal(err)
	}
	if len(file) < 5<<20 {
		t.Fatalf("the file has only %d bytes", len(file))
	}
	t.Logf("%d records have %d bytes", MaxRecords, len(file))
	bucket := inMemory(t, file)
	requests := 0
	for i := range 100 {
		object, c := counted(t, bucket, 1<<30)
		if err := scan(t.Context(), object, object.size, query(fmt.Sprintf("none-%d", i)), 0, func(Record) error { return nil }); err != nil {
			t.Fatal(err)
		}
		requests += c.requests
	}
	if requests > 150 {
		t.Errorf("%d requests for 100 Jobs that are not in the file, want one for most", requests)
	}
	object, c := counted(t, bucket, 1<<30)
	found := 0
	if err := scan(t.Context(), object, object.size, query("job-00500"), 0, func(Record) error { found++; return nil }); err != nil || found != 10 {
		t.Fatalf("found %d records: %v", found, err)
	}
	t.Logf("%d requests read %d bytes for a Job that is in the file", c.requests, c.read)
	if c.requests > 10 || c.read > int64(len(file)/10) {
		t.Errorf("%d requests read %d bytes of %d for a Job that is in the file", c.requests, c.read, len(file))
	}
}
