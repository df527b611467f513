// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Query selects the archived errors of a job.
type Query struct {
	ClusterUID   types.UID
	Namespace    string
	NamespaceUID types.UID
	// Job is the name or the UID of the Job.
	Job string
	// Since and Until limit createdAt: Since is included, Until is not. The zero time means no limit.
	Since, Until time.Time
	// Limit is how many records a page has at most. 0 means 500.
	Limit int
	// Continue is that of the page before; empty for the first page. With it, Since and Until are
	// those of the first page.
	Continue string
}

// matches reports whether a row belongs to the query. The path of an object is not trusted: its
// rows must name the namespace themselves.
func (q *Query) matches(row *key) bool {
	return q.NamespaceUID != "" && row.Namespace == q.Namespace && row.NamespaceUID == string(q.NamespaceUID) &&
		q.Job != "" && (row.JobName == q.Job || row.JobUID == q.Job) &&
		(q.Since.IsZero() || !row.CreatedAt.Before(q.Since.Truncate(time.Millisecond))) && (q.Until.IsZero() || row.CreatedAt.Before(q.Until))
}

// includes reports whether errors of a day may match.
func (q *Query) includes(date string) bool {
	return (q.Since.IsZero() || date >= day(q.Since)) && (q.Until.IsZero() || date <= day(q.Until))
}

// Page holds a part of the matching records. Later pages hold records of the same day or of
// earlier ones.
type Page struct {
	// Records are sorted by createdAt, newest first, without duplicates. Another page may have a
	// record again.
	Records []Record
	// Continue is empty if this is the last page. A page may have no records and still not be
	// the last one.
	Continue string
	// Through is the day that the page ends in; zero if there was nothing to read.
	Through time.Time
	// Skipped holds objects that can't be read, or that the operator did not write: the first 100
	// of a page.
	Skipped []Problem
	// Objects and BytesRead say what the page cost.
	Objects   int
	BytesRead int64
}

// Problem is an object that was skipped, and why.
type Problem struct {
	Object string
	Err    error
}
