// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// checkNames checks a list of names of errors. It rejects an empty list, which could mean
// none of the errors or all of them.
func checkNames(path *field.Path, names []string) field.ErrorList {
	if len(names) == 0 {
		return field.ErrorList{field.Required(path, "must name at least one error; leave the field out to mean every open error")}
	}
	if len(names) > joberrorv1.MaxNamedErrors {
		return field.ErrorList{field.TooMany(path, len(names), joberrorv1.MaxNamedErrors)}
	}
	var problems field.ErrorList
	seen := map[string]bool{}
	for i, name := range names {
		if len(problems) >= maxProblems {
			break
		}
		if messages := validation.IsDNS1123Subdomain(name); len(messages) > 0 {
			problems = append(problems, field.Invalid(path.Index(i), shorten([]byte(name)), "is not the name of a JobError: "+messages[0]))
		} else if seen[name] {
			problems = append(problems, field.Duplicate(path.Index(i), name))
		}
		seen[name] = true
	}
	return problems
}

// parseRecords parses an array of records in the source's flat shape. It ignores unknown
// fields, as the source's API does. Only what the records ask for stays in memory.
func parseRecords(data []byte, resolved bool) (*resolveBody, error) {
	index := newRecordIndex(resolved)
	body := field.NewPath("body")
	var problems field.ErrorList
	var record resolvev1.Record
	err := eachElement(data, func(i int, element json.RawMessage) bool {
		record = resolvev1.Record{}
		if problem := parseRecord(i, element, &record); problem != nil {
			problems = append(problems, problem)
		} else if !index.add(i, &record) {
			problems = append(problems, field.TooMany(body, len(index.records)+1, joberrorv1.MaxNamedErrors))
			return false
		}
		return len(problems) < maxProblems
	})
	if err != nil {
		problems = append(problems, field.Invalid(body, shorten(data), err.Error()))
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	return &resolveBody{records: index}, nil
}

// parseRecord parses the record at an index of the body. It ignores unknown fields.
func parseRecord(i int, element json.RawMessage, record *resolvev1.Record) *field.Error {
	if isObject(element) {
		err := kjson.UnmarshalCaseSensitivePreserveInts(element, record)
		if err == nil {
			return nil
		}
		return decodeProblem(field.NewPath("body").Index(i), element, err)
	}
	return notARecord(field.NewPath("body").Index(i), element)
}

// isObject reports whether valid JSON is an object.
func isObject(element json.RawMessage) bool { return len(element) > 0 && element[0] == '{' }

func notARecord(path *field.Path, element json.RawMessage) *field.Error {
	return field.TypeInvalid(path, shorten(element), "must be a record, which is an object")
}
