// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// columns returns the columns of a Record as they are declared in a file.
var columns = sync.OnceValues(func() (map[string]format.SchemaElement, error) {
	var data bytes.Buffer
	if err := parquet.NewGenericWriter[Record](&data).Close(); err != nil {
		return nil, fmt.Errorf("write an empty file: %w", err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data.Bytes()), int64(data.Len()))
	if err != nil {
		return nil, fmt.Errorf("open an empty file: %w", err)
	}
	byName := map[string]format.SchemaElement{}
	for _, column := range file.Metadata().Schema[1:] {
		byName[column.Name] = column
	}
	return byName, nil
})

// checkSchema returns an error if a footer declares a column in another way than the operator does.
// The decoder trusts the declaration, and could read outside of its memory. A file of an older
// or a newer operator may lack columns, or have more.
func checkSchema(footer *format.FileMetaData) error {
	want, err := columns()
	if err != nil {
		return err
	}
	if len(footer.Schema) == 0 {
		return errors.New("has no schema")
	}
	schema := footer.Schema[1:]
	names := map[string]bool{}
	for i := range schema {
		column := &schema[i]
		if column.NumChildren.V > 0 || !column.Type.Valid || names[column.Name] {
			return fmt.Errorf("has the column %q, which is nested or declared twice", column.Name)
		}
		names[column.Name] = true
		if ours, known := want[column.Name]; known && !reflect.DeepEqual(*column, ours) {
			return fmt.Errorf("declares the column %q in another way than the operator", column.Name)
		}
	}
	for _, name := range keyColumns {
		if !names[name] {
			return fmt.Errorf("lacks the column %s", name)
		}
	}
	for _, group := range footer.RowGroups {
		if len(group.Columns) != len(schema) {
			return fmt.Errorf("has %d columns, but %d in its schema", len(group.Columns), len(schema))
		}
		for i := range group.Columns {
			column := &group.Columns[i].MetaData
			if column.Type != schema[i].Type.V || len(column.PathInSchema) != 1 || column.PathInSchema[0] != schema[i].Name {
				return errors.New("has columns that its schema declares in another way")
			}
		}
	}
	return nil
}
