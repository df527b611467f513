// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
)

// retained returns how many bytes the result of a function keeps in memory.
func retained(f func() any) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	result := f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(result)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// allocated returns how many bytes a function allocates, garbage included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc) - int64(before.TotalAlloc)
}

func readAny(t *testing.T, content string) any {
	t.Helper()
	got, err := read(t.Context(), jsonType, content)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// The tests of this file are not parallel: other tests would change the measurements.
func TestABodyKeepsOnlyWhatItAsksFor(t *testing.T) {
	large := strings.Repeat("m", 30<<10)
	for name, tc := range map[string]struct {
		content string
		limit   int64
	}{
		"many empty records":         {"[" + strings.Repeat("{},", 145_000) + "{}]", 64 << 10},
		"large records to ignore":    {"[" + strings.Repeat(`{"message":"`+large+`"},`, 100) + "{}]", 64 << 10},
		"large records to resolve":   {"[" + strings.Repeat(`{"message":"`+large+`","resolved":true},`, 100) + "{}]", 64 << 10},
		"a thousand records":         {"[" + strings.Repeat(`{"message":"m","resolved":true},`, 1000) + "{}]", 512 << 10},
		"long ids":                   {"[" + strings.Repeat(`{"_id":"`+large+`","resolved":true},`, 100) + "{}]", 512 << 10},
		"records of unknown fields":  {"[" + strings.Repeat(`{"a":1,"b":{"c":[1,2,3]},"d":"`+large+`"},`, 100) + "{}]", 64 << 10},
		"one record of many unknown": {"[{" + strings.Repeat(`"x":1,`, 100_000) + `"y":1}]`, 64 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			if got := retained(func() any { return readAny(t, tc.content) }); got > tc.limit {
				t.Errorf("a body of %d bytes keeps %d, want at most %d", len(tc.content), got, tc.limit)
			}
		})
	}
}

// The budget reserves copiesOfBody times the body of a report.
func TestAReportTakesLittleMoreThanItsBody(t *testing.T) {
	for name, content := range map[string]string{
		"a thousand records": "[" + strings.Repeat(`{"message":"`+strings.Repeat("m", 4000)+`"},`, 999) + `{"code":"c"}]`,
		"short records":      "[" + strings.Repeat(`{"code":"c"},`, 999) + `{"code":"c"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			got := retained(func() any {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/jobs/backup/joberrors", strings.NewReader(content))
				body, err := readReport(httptest.NewRecorder(), r)
				if err != nil {
					t.Fatal(err)
				}
				return body
			})
			if limit := int64(len(content)) + 512<<10; got > limit {
				t.Errorf("a body of %d bytes keeps %d, want at most %d", len(content), got, limit)
			}
		})
	}
}

func TestTooManyRecordsAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		method, content string
	}{
		"to resolve": {http.MethodPut, "[" + strings.Repeat(`{"resolved":true},`, joberrorv1.MaxNamedErrors) + `{"resolved":true}]`},
		"to report":  {http.MethodPost, "[" + strings.Repeat(`{},`, 145_000) + `{}]`},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			checked := allocated(func() { _, _ = checkJSON([]byte(tc.content)) })
			total := allocated(func() {
				r := httptest.NewRequestWithContext(t.Context(), tc.method, "/jobs/backup/joberrors", strings.NewReader(tc.content))
				if tc.method == http.MethodPut {
					_, err = readBody(httptest.NewRecorder(), r, true)
				} else {
					_, err = readReport(httptest.NewRecorder(), r)
				}
			})
			status := statusOf(t, err)
			if status.Code != http.StatusUnprocessableEntity || !strings.Contains(status.Message, "at most 1000 items") {
				t.Errorf("status = %d %q, want 422 with the limit", status.Code, status.Message)
			}
			// Reading the body takes a few times its size. No record may be decoded beyond the limit.
			if limit := int64(5*len(tc.content)) + 2<<20; total-checked > limit {
				t.Errorf("a body of %d bytes allocates %d after its check, want at most %d", len(tc.content), total-checked, limit)
			}
		})
	}
}

func BenchmarkReadBody(b *testing.B) {
	for name, content := range map[string]string{
		"empty records": "[" + strings.Repeat("{},", 145_000) + "{}]",
		"large records": "[" + strings.Repeat(`{"message":"`+strings.Repeat("m", 30<<10)+`","resolved":true},`, 130) + "{}]",
	} {
		b.Run(fmt.Sprintf("%s, %d bytes", name, len(content)), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := read(b.Context(), jsonType, content); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
