// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"k8s.io/apimachinery/pkg/types"
)

// scanAll returns the names of the matching records of a file.
func scanAll(data []byte, q Query) (names []string, err error) {
	err = scan(context.Background(), bytes.NewReader(data), int64(len(data)), q, 0, func(r Record) error {
		names = append(names, r.Name)
		return nil
	})
	return names, err
}

// parquetOf returns a Parquet file with these rows.
func parquetOf[T any](t *testing.T, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var file bytes.Buffer
	writer := parquet.NewGenericWriter[T](&file, options...)
	if _, err := writer.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestAForeignFileIsRefused(t *testing.T) {
	t.Parallel()
	type foreign struct {
		Namespace string `parquet:"namespace"`
	}
	type wrongType struct {
		Namespace    int64  `parquet:"namespace"`
		NamespaceUID bool   `parquet:"namespace_uid"`
		JobName      []byte `parquet:"job_name"`
		JobUID       string `parquet:"job_uid,optional"`
		CreatedAt    string `parquet:"created_at"`
	}
	type nested struct {
		Namespace struct {
			Name string `parquet:"name"`
		} `parquet:"namespace"`
	}
	schema := parquet.KeyValueMetadata(keySchema, "1")
	whole, err := encode(cluster, []Entry{full()}, now)
	if err != nil {
		t.Fatal(err)
	}
	footer := func(length uint32) []byte {
		data := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(data[len(data)-8:], length)
		return data
	}
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                         {nil, "too short"},
		"text":                          {[]byte("this is not a Parquet file"), "is not a Parquet file"},
		"cut off":                       {whole[:len(whole)-10], "is not a Parquet file"},
		"a footer of 2 GiB":             {footer(1<<31 - 1), "is not a Parquet file"},
		"a footer of 2 MiB":             {footer(2 << 20), "is not a Parquet file"},
		"a footer larger than 4 GiB-1":  {footer(1<<32 - 1), "is not a Parquet file"},
		"a footer longer than the file": {footer(1 << 16), "is cut off"},
		"no footer":                     {footer(0), "read the footer"},
		"without our key":               {parquetOf(t, []foreign{{"team"}}), "was not written by the operator"},
		"a later schema":                {parquetOf(t, []Record{{}}, parquet.KeyValueMetadata(keySchema, "2")), "has the schema 2"},
		"other columns":                 {parquetOf(t, []foreign{{"team"}}, schema), "lacks the column namespace_uid"},
		"columns of other types":        {parquetOf(t, []wrongType{{1, true, []byte("load"), "", "now"}}, schema), `declares the column "namespace" in another way`},
		"nested columns":                {parquetOf(t, []nested{{}}, schema), `has the column "namespace", which is nested`},
		"too many rows":                 {parquetOf(t, make([]foreign, maxRows+1), schema), "more than the operator writes"},
	} {
		names, err := scanAll(tc.data, query("load"))
		if err == nil || !strings.Contains(err.Error(), tc.want) || len(names) > 0 {
			t.Errorf("%s: found %v: %v, want %q", name, names, err, tc.want)
		}
	}
}

// A later operator may add columns.
func TestAFileWithOtherColumnsIsRead(t *testing.T) {
	t.Parallel()
	type later struct {
		Record
		Added string `parquet:"added"`
	}
	type earlier struct {
		key
		Name string `parquet:"name"`
	}
	r, err := recordOf(full(), now)
	if err != nil {
		t.Fatal(err)
	}
	schema := parquet.KeyValueMetadata(keySchema, "1")
	k := key{r.Namespace, r.NamespaceUID, r.JobName, r.JobUID, r.CreatedAt}
	for name, data := range map[string][]byte{"later": parquetOf(t, []later{{r, "x"}}, schema), "earlier": parquetOf(t, []earlier{{k, r.Name}}, schema)} {
		if names, err := scanAll(data, query("load")); err != nil || len(names) != 1 || names[0] != r.Name {
			t.Errorf("%s: found %v: %v", name, names, err)
		}
	}
}

func TestAFileWithoutBloomFiltersIsRead(t *testing.T) {
	t.Parallel()
	r, err := recordOf(full(), now)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := scanAll(parquetOf(t, []Record{r}, parquet.KeyValueMetadata(keySchema, "1")), query("load")); err != nil || len(names) != 1 {
		t.Errorf("found %v: %v", names, err)
	}
}

func TestTextsAreNotInTheFooter(t *testing.T) {
	t.Parallel()
	e := full()
	for _, text := range []*string{&e.Error.Spec.Message, &e.Error.Spec.Extracted, &e.Error.Spec.Generated} {
		*text = strings.Repeat("long text ", 1600)
	}
	data, err := encode(cluster, []Entry{e}, now)
	if err != nil {
		t.Fatal(err)
	}
	if footer := binary.LittleEndian.Uint32(data[len(data)-8:]); footer > 20_000 || len(data) > 30_000 {
		t.Errorf("the footer has %d bytes, and the file %d", footer, len(data))
	}
}

func TestTheLongestTextsAreRead(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for n, letter := range []string{"<", "🐛", "\x00"} {
		e := full()
		e.Error.UID = types.UID(letter)
		s := &e.Error.Spec
		for text, length := range map[*string]int{
			&s.UserID: 512, &s.JobID: 253, &s.Code: 256, &s.Extract: 1024, &s.Generate: 1024, &s.Extracted: 16384, &s.Generated: 16384,
			&s.Message: 32768, &s.Source: 512, &e.Error.Status.ResolvedBy: 512,
		} {
			*text = strings.Repeat(letter, length)
		}
		e.Error.Annotations = map[string]string{"note": strings.Repeat(letter, 60_000)}
		e.Error.Name = fmt.Sprintf("load-%d", n)
		entries = append(entries, e)
	}
	data, err := encode(cluster, entries, now)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := scanAll(data, query("load")); err != nil || len(names) != len(entries) {
		t.Errorf("found %v: %v", names, err)
	}
	if footer := binary.LittleEndian.Uint32(data[len(data)-8:]); footer > maxFooter/2 {
		t.Errorf("the footer has %d bytes", footer)
	}
}

// A damaged byte may lose the file, but must not end the operator.
func TestADamagedByteEndsNothing(t *testing.T) {
	t.Parallel()
	whole, err := encode(cluster, []Entry{entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "other", "2026-11-20T00:00:00Z")}, now)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 29 {
		data := bytes.Clone(whole)
		data[at] ^= []byte{0x01, 0x80, 0xff}[at%3]
		_, _ = scanAll(data, query("load"))
	}
}

func FuzzScan(f *testing.F) {
	file, err := encode(cluster, []Entry{entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "other", "2026-11-20T00:00:00Z")}, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add([]byte("PAR1PAR1"))
	q := query("load")
	f.Fuzz(func(_ *testing.T, data []byte) {
		// A file may be anything: the scan must neither panic nor hang.
		_, _ = scanAll(data, q)
	})
}
