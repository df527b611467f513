// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"reflect"
	"testing"
)

func TestMonthsAreNewestFirst(t *testing.T) {
	t.Parallel()
	got := monthsOf([]string{"2026-10-31", "2026-11-01", "2025-11-30", "2026-11-30"})
	want := []month{{"2026-11", []string{"2026-11-30", "2026-11-01"}}, {"2026-10", []string{"2026-10-31"}}, {"2025-11", []string{"2025-11-30"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("monthsOf = %v, want %v", got, want)
	}
}
