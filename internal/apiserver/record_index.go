// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strings"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// recordIndex holds what an array of records asks for: the ids and digests of the records
// that ask for the request's change. It does not hold the records themselves, which may be
// large and many.
type recordIndex struct {
	resolved bool
	records  []indexedRecord
}

// indexedRecord is a record that asks for a change of one error.
type indexedRecord struct {
	// index is the record's position in the array.
	index int
	// id is the record's _id. If it is empty, the error has this content and this owner.
	id      string
	content contentDigest
	owner   recordOwner
}

// contentDigest is the digest of a record's content and time. Two records without an id are
// the same error if their digests are equal.
type contentDigest [sha256.Size]byte

// recordOwner holds the user and the job of an error, or those that a record names; an empty
// one matches any.
type recordOwner struct{ user, job string }

func newRecordIndex(resolved bool) *recordIndex { return &recordIndex{resolved: resolved} }

// add adds a record, unless it asks for no change. It returns false if the index is full: a
// request can't change more errors than a resolution can name.
func (x *recordIndex) add(i int, r *resolvev1.Record) bool {
	if r.Resolved != x.resolved {
		return true
	}
	if len(x.records) >= joberrorv1.MaxNamedErrors {
		return false
	}
	added := indexedRecord{index: i, id: shortenID(r.ID)}
	if r.ID == "" {
		added.content = digestOf(r)
		added.owner = recordOwner{user: shortenID(r.UserID), job: shortenID(r.JobID)}
	}
	x.records = append(x.records, added)
	return true
}

// maxID limits the ids in an index, in bytes. It is more than the schema's longest, a _userId
// of 512 characters.
const maxID = 4*512 + 1

// shortenID returns a copy of an id. The copy of an id that is too long for any error differs
// from the id of every error.
func shortenID(id string) string { return strings.Clone(id[:min(len(id), maxID)]) }

// digestOf returns the digest of a record's content and time.
func digestOf(r *resolvev1.Record) contentDigest {
	key := contentAndTime(r)
	hash := sha256.New()
	write := func(value string) {
		// A hash never returns an error.
		_, _ = hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(value))))
		_, _ = io.WriteString(hash, value)
	}
	write(key.CreatedAt)
	for _, f := range failure.Fields() {
		write(f.Of(&key))
	}
	return contentDigest(hash.Sum(nil))
}

// matches reports whether an error with this owner may be the one that a record with owner o
// means.
func (o recordOwner) matches(of recordOwner) bool {
	return (o.user == "" || o.user == of.user) && (o.job == "" || o.job == of.job)
}
