// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"encoding/json"
	"fmt"
	"time"
)

// Stamp gives a row without a createdAt the time of its number after base, so that a row that
// is sent again is the same occurrence, and an equal row elsewhere in the file is another one.
func Stamp(row Row, base time.Time) (Row, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(row.JSON, &object); err != nil {
		return row, fmt.Errorf("row %d: %w", row.Number, err)
	}
	switch string(object["createdAt"]) {
	case "", `""`, "null":
	default:
		return row, nil
	}
	// JSON has times of up to 9 digits, so a nanosecond keeps a million rows within one
	// millisecond.
	at := base.Truncate(time.Millisecond).Add(time.Duration(row.Number)).UTC()
	object["createdAt"] = json.RawMessage(fmt.Sprintf("%q", at.Format(time.RFC3339Nano)))
	data, err := json.Marshal(object)
	if err != nil {
		return row, fmt.Errorf("row %d: %w", row.Number, err)
	}
	row.JSON = data
	return row, nil
}
