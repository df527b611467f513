// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/failure"
)

// maxReports is how many records one request may report: what can be created
// well before the API server in front gives up.
const maxReports = 1000

// recordFields are the names of a record's fields.
var recordFields = func() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[resolvev1.Record]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}()

// reportBody is what a request reports: one record, or an array of them.
type reportBody struct {
	records []resolvev1.Record
	array   bool
}

// path is where a record stands in the body.
func (b *reportBody) path(i int) *field.Path {
	if b.array {
		return field.NewPath("body").Index(i)
	}
	return field.NewPath("body")
}

// readReport reads and judges the records that a request reports. Nothing is
// kept of a body that has one that can't be.
func readReport(w http.ResponseWriter, r *http.Request) (*reportBody, error) {
	data, err := readJSON(w, r)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, invalidRequest(field.Required(field.NewPath("body"), "must be a record or an array of them"))
	}
	var items []json.RawMessage
	array := data[0] == '['
	switch {
	case data[0] == '{':
		items = []json.RawMessage{data}
	case array:
		if err := json.Unmarshal(data, &items); err != nil {
			return nil, invalidRequest(field.TypeInvalid(field.NewPath("body"), shorten(data), "must be an array of records"))
		}
	default:
		return nil, neitherObjectNorArray(data)
	}
	if len(items) > maxReports {
		return nil, invalidRequest(field.TooMany(field.NewPath("body"), len(items), maxReports))
	}
	parsed := &reportBody{records: make([]resolvev1.Record, len(items)), array: array}
	var problems field.ErrorList
	for i, item := range items {
		problems = append(problems, parseReport(parsed.path(i), item, &parsed.records[i])...)
		if len(problems) >= maxProblems {
			break
		}
	}
	if len(problems) == 0 {
		problems = parsed.twice()
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems[:min(len(problems), maxProblems)]...)
	}
	return parsed, nil
}

// parseReport reads one record. A field that is not known is refused: what a
// mistyped one says would be lost.
func parseReport(path *field.Path, item json.RawMessage, record *resolvev1.Record) field.ErrorList {
	if problem := parseRecord(path, item, record); problem != nil {
		return field.ErrorList{problem}
	}
	var fields map[string]json.RawMessage
	twice, err := kjson.UnmarshalStrict(item, &fields, kjson.DisallowDuplicateFields)
	if err != nil {
		return field.ErrorList{field.Invalid(path, shorten(item), err.Error())}
	}
	var problems field.ErrorList
	for _, err := range twice {
		problems = append(problems, field.Forbidden(path, shorten([]byte(err.Error()))))
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, known := slices.BinarySearch(recordFields, name); !known {
			problems = append(problems, field.Forbidden(path.Child(shorten([]byte(name))), "is not known; the known fields are "+strings.Join(recordFields, ", ")))
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return checkReport(path, record)
}

func checkReport(path *field.Path, record *resolvev1.Record) field.ErrorList {
	var problems field.ErrorList
	if (failure.Content(*record) == resolvev1.Record{}) {
		problems = append(problems, field.Required(path.Child("message"), "the record must say something: a message, or another field of an error"))
	}
	if record.ID != "" {
		for _, problem := range validation.IsDNS1123Subdomain(record.ID) {
			problems = append(problems, field.Invalid(path.Child("_id"), shorten([]byte(record.ID)), "can't be the name of a JobError: "+problem))
		}
	}
	for _, limit := range failure.Limits(record) {
		if utf8.RuneCountInString(limit.Value) > limit.Max {
			problems = append(problems, field.TooLong(path.Child(limit.Field), "", limit.Max))
		}
	}
	return problems
}

// twice finds records of one id that say different things: only one of them
// could be kept. The same record may have happened at different times.
func (b *reportBody) twice() field.ErrorList {
	var problems field.ErrorList
	first := map[string]resolvev1.Record{}
	for i, r := range b.records {
		if r.ID == "" {
			continue
		}
		r.CreatedAt = ""
		if before, known := first[r.ID]; known && before != r {
			problems = append(problems, field.Duplicate(b.path(i).Child("_id"), r.ID))
		}
		first[r.ID] = r
	}
	return problems
}
