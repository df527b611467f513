// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"cmp"
	"strings"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/truncate"
)

// Field is a text field of a record.
type Field struct {
	// Name is the field's JSON name.
	Name string
	// MaxLength limits the field's length, in characters. The schema of JobErrors has the
	// same limit.
	MaxLength int

	ofRecord func(*resolvev1.Record) *string
	ofSpec   func(*joberrorv1.JobErrorSpec) *string
}

// userField holds who created a record. It is not a part of the record's content.
var userField = Field{"_userId", 512,
	func(r *resolvev1.Record) *string { return &r.UserID }, func(s *joberrorv1.JobErrorSpec) *string { return &s.UserID }}

// contentFields hold what a record says about its error. Their order is a part of the
// names of existing JobErrors, through RecordKey.
var contentFields = []Field{
	{"code", 256, func(r *resolvev1.Record) *string { return &r.Code }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Code }},
	{"extract", 1024, func(r *resolvev1.Record) *string { return &r.Extract }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Extract }},
	{"generate", 1024, func(r *resolvev1.Record) *string { return &r.Generate }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Generate }},
	{"extracted", 16 << 10, func(r *resolvev1.Record) *string { return &r.Extracted }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Extracted }},
	{"generated", 16 << 10, func(r *resolvev1.Record) *string { return &r.Generated }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Generated }},
	{"message", 32 << 10, func(r *resolvev1.Record) *string { return &r.Message }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Message }},
	{"source", 512, func(r *resolvev1.Record) *string { return &r.Source }, func(s *joberrorv1.JobErrorSpec) *string { return &s.Source }},
}

// Fields returns the text fields of a record.
func Fields() []Field { return append([]Field{userField}, contentFields...) }

// Of returns the field's value in a record.
func (f Field) Of(r *resolvev1.Record) string { return *f.ofRecord(r) }

// HasContent reports whether a record has a field that describes its error.
func HasContent(r *resolvev1.Record) bool { return ContentWithoutTime(r) != resolvev1.Record{} }

// ContentWithoutTime returns a record with only the fields that describe its error. It
// leaves out the id, the user, the job, the times, and whether the error is resolved.
func ContentWithoutTime(r *resolvev1.Record) resolvev1.Record {
	var content resolvev1.Record
	for _, f := range contentFields {
		*f.ofRecord(&content) = f.Of(r)
	}
	return content
}

// SetText sets the text fields of a record to those of a JobError.
func SetText(r *resolvev1.Record, spec joberrorv1.JobErrorSpec) {
	for _, f := range Fields() {
		*f.ofRecord(r) = *f.ofSpec(&spec)
	}
}

// RecordKey returns the key of a record within its Job: its id, or a digest of its content
// if it has no id.
func RecordKey(r *resolvev1.Record) string {
	if r.ID != "" {
		return "record/" + r.ID
	}
	var values []string
	for _, f := range contentFields {
		values = append(values, f.Of(r))
	}
	return "record//" + digest(values...)
}

// overlay sets the fields of a spec that a record has.
func overlay(spec *joberrorv1.JobErrorSpec, r *resolvev1.Record) {
	for _, f := range Fields() {
		value := f.ofSpec(spec)
		*value = cmp.Or(f.Of(r), *value)
	}
}

// truncateFields makes each field what the schema accepts: valid UTF-8, truncated with a
// visible mark.
func truncateFields(spec *joberrorv1.JobErrorSpec) {
	for _, f := range Fields() {
		value := f.ofSpec(spec)
		*value = truncate.Characters(strings.ToValidUTF8(*value, "�"), f.MaxLength)
	}
}
