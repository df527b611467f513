// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"testing"
	"time"
)

func TestStamp(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 11, 5, 10, 15, 0, 123_456_789, time.UTC)
	for in, want := range map[string]string{
		`{}`:                              `{"createdAt":"2026-11-05T10:15:00.123000017Z"}`,
		`{"code":"x"}`:                    `{"code":"x","createdAt":"2026-11-05T10:15:00.123000017Z"}`,
		`{"code":"x","createdAt":""}`:     `{"code":"x","createdAt":"2026-11-05T10:15:00.123000017Z"}`,
		`{"code":"x","createdAt":null}`:   `{"code":"x","createdAt":"2026-11-05T10:15:00.123000017Z"}`,
		`{"code":"x","createdAt":"when"}`: `{"code":"x","createdAt":"when"}`,
		`{"code":"x","createdAt":5}`:      `{"code":"x","createdAt":5}`,
	} {
		got, err := Stamp(Row{Number: 17, JSON: []byte(in)}, base)
		if err != nil || string(got.JSON) != want {
			t.Errorf("Stamp(%s) = %s, %v; want %s", in, got.JSON, err, want)
		}
	}
}
