// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Item is a version of an expired record. It does not hold the record itself.
type Item struct {
	Key     types.NamespacedName
	UID     types.UID
	Version string
	// ExpiresAt decides which records go first if there are too many.
	ExpiresAt time.Time
}

// State says what the archive has of a record.
type State string

const (
	// Unknown means that the record is not in the queue.
	Unknown State = ""
	// Waiting means that this version of the record is not in the archive yet.
	Waiting State = "Waiting"
	// Written means that the archive has acknowledged this version of the record.
	Written State = "Written"
	// Lost means that too many records wait, and that this one is deleted without being archived.
	Lost State = "Lost"
)

// waiting is a record in the queue.
type waiting struct {
	Item
	state State
	// failing is when writing the record first failed; zero if it has not. The time starts again
	// whenever other records of its batch are written.
	failing time.Time
	// announced is set once the record was woken up to get its condition.
	announced bool
}
