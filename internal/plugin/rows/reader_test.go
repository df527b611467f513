// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// read returns each row as number:JSON or number!problem, and the error that ended them.
func read(in io.Reader) (rows []string, err error) {
	reader := NewReader(in)
	for {
		row, err := reader.Next()
		if err != nil {
			return rows, err
		}
		if row.Problem != "" {
			rows = append(rows, fmt.Sprintf("%d!%s", row.Number, row.Problem))
		} else {
			rows = append(rows, fmt.Sprintf("%d:%s", row.Number, row.JSON))
		}
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	object := "must be an object with the fields of an error"
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"nothing":                {"", nil},
		"space":                  {" \n\n", nil},
		"lines":                  {"{\"a\":1}\n{\"a\":2}\n", []string{`1:{"a":1}`, `2:{"a":2}`}},
		"no newline at last":     {"{\"a\":1}\n{\"a\":2}", []string{`1:{"a":1}`, `2:{"a":2}`}},
		"empty lines":            {"\n{\"a\":1}\n\n{\"a\":2}\n\n", []string{`2:{"a":1}`, `4:{"a":2}`}},
		"carriage returns":       {"{\"a\":1}\r\n{\"a\":2}\r\n", []string{`1:{"a":1}`, `2:{"a":2}`}},
		"a byte order mark":      {"\ufeff{\"a\":1}\n", []string{`1:{"a":1}`}},
		"a line is not JSON":     {"{\"a\":1}\n{oops\n{\"a\":3}\n", []string{`1:{"a":1}`, "2!is not valid JSON: invalid character 'o' looking for beginning of object key string at byte 2", `3:{"a":3}`}},
		"a line is no object":    {"{\"a\":1}\n17\nnull\n\"x\"\n", []string{`1:{"a":1}`, "2!" + object, "3!" + object, "4!" + object}},
		"bytes that no text has": {"{\"a\":\"\xff\"}\n", []string{"1!is not valid UTF-8"}},
		"an array":               {" [\n{\"a\":1},\n{\"a\":2}]\n", []string{`1:{"a":1}`, `2:{"a":2}`}},
		"an empty array":         {"[]", nil},
		"an array of others":     {"[1,{\"a\":2}]", []string{"1!" + object, `2:{"a":2}`}},
		"too long": {"{\"a\":1}\n{\"a\":\"" + strings.Repeat("x", maxRow) + "\"}\n{\"a\":3}\n",
			[]string{`1:{"a":1}`, fmt.Sprintf("2!the line has more than %d bytes", maxRow), `3:{"a":3}`}},
	} {
		for _, in := range []io.Reader{strings.NewReader(tc.in), iotest.HalfReader(strings.NewReader(tc.in))} {
			if got, err := read(in); !slices.Equal(got, tc.want) || !errors.Is(err, io.EOF) {
				t.Errorf("%s: rows = %.300q, %v; want %.300q", name, got, err, tc.want)
			}
		}
	}
}

func TestReaderSaysWhereItStopped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"[{\"a\":1},":           "row",
		"[{\"a\":1},{oops}]":    "row 2",
		"[{\"a\":1}] {}":        "more after its end",
		"[{\"a\":1} {\"a\":2}]": "row 2",
	} {
		rows, err := read(strings.NewReader(in))
		if len(rows) != 1 || err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), want) {
			t.Errorf("rows of %s = %q, %v; want one row and an error with %q", in, rows, err, want)
		}
	}
	_, err := read(io.MultiReader(strings.NewReader("{\"a\":1}\n{"), iotest.ErrReader(errors.New("disk failed"))))
	if err == nil || !strings.Contains(err.Error(), "line 2: disk failed") {
		t.Errorf("error = %v, want one that names line 2", err)
	}
}
