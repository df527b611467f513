// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/failure"
)

// maxReports limits the records in one request, so that they can be created well before
// the API server in front times out.
const maxReports = 1000

// reportBody holds the records that a request reports: one, or an array of them.
type reportBody struct {
	records []resolvev1.Record
	array   bool
}

// path returns the path of a record in the body.
func (b *reportBody) path(i int) *field.Path {
	if b.array {
		return field.NewPath("body").Index(i)
	}
	return field.NewPath("body")
}

// readReport reads and checks the records that a request reports. If one of them is
// invalid, none is stored.
func readReport(w http.ResponseWriter, r *http.Request) (*reportBody, error) {
	data, elements, err := readJSON(w, r)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, invalidRequest(field.Required(field.NewPath("body"), "must be a record or an array of them"))
	}
	parsed := &reportBody{}
	var problems field.ErrorList
	parse := func(i int, element json.RawMessage) bool {
		parsed.records = append(parsed.records, resolvev1.Record{})
		problems = append(problems, parseReport(parsed.path(i), element, &parsed.records[i])...)
		return len(problems) < maxProblems
	}
	switch data[0] {
	case '{':
		parse(0, data)
	case '[':
		if elements > maxReports {
			return nil, invalidRequest(field.TooMany(field.NewPath("body"), elements, maxReports))
		}
		parsed.array, parsed.records = true, make([]resolvev1.Record, 0, elements)
		if err := eachElement(data, parse); err != nil {
			problems = append(problems, field.Invalid(field.NewPath("body"), shorten(data), err.Error()))
		}
	default:
		return nil, neitherObjectNorArray(data)
	}
	if len(problems) == 0 {
		problems = parsed.conflicting()
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	return parsed, nil
}

// parseReport parses one record. It rejects unknown fields: the value of a mistyped field
// would be lost.
func parseReport(path *field.Path, element json.RawMessage, record *resolvev1.Record) field.ErrorList {
	if !isObject(element) {
		return field.ErrorList{notARecord(path, element)}
	}
	unknown, problem := decode(path, element, record)
	switch {
	case problem != nil:
		return field.ErrorList{problem}
	case len(unknown) > 0:
		return unknown
	default:
		return checkReport(path, record)
	}
}

// checkReport checks the values of a record.
func checkReport(path *field.Path, record *resolvev1.Record) field.ErrorList {
	var problems field.ErrorList
	if !failure.HasContent(record) {
		problems = append(problems, field.Required(path.Child("message"), "the record has no content: set message, or another field of an error"))
	}
	if record.ID != "" {
		for _, problem := range validation.IsDNS1123Subdomain(record.ID) {
			problems = append(problems, field.Invalid(path.Child("_id"), shorten([]byte(record.ID)), "is not a valid name of a JobError: "+problem))
		}
	}
	for _, f := range failure.Fields() {
		if utf8.RuneCountInString(f.Of(record)) > f.MaxLength {
			problems = append(problems, field.TooLong(path.Child(f.Name), "", f.MaxLength))
		}
	}
	return problems
}

// conflicting returns a problem for each record that has the id of an earlier one and other
// content: only one of them could be stored. The same record may have happened at
// different times.
func (b *reportBody) conflicting() field.ErrorList {
	var problems field.ErrorList
	byID := map[string]resolvev1.Record{}
	for i, r := range b.records {
		if r.ID == "" {
			continue
		}
		r.CreatedAt = ""
		if before, known := byID[r.ID]; known && before != r {
			problems = append(problems, field.Duplicate(b.path(i).Child("_id"), r.ID))
		}
		byID[r.ID] = r
	}
	return problems
}
