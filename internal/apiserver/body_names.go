// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

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
// fields, as the source's API does.
func parseRecords(data []byte) (*resolveBody, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, invalidRequest(field.TypeInvalid(field.NewPath("body"), shorten(data), "must be an array of records"))
	}
	parsed := &resolveBody{records: make([]resolvev1.Record, len(items))}
	var problems field.ErrorList
	for i, item := range items {
		if len(problems) >= maxProblems {
			break
		}
		if _, problem := parseRecord(field.NewPath("body").Index(i), item, &parsed.records[i]); problem != nil {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	return parsed, nil
}

// parseRecord parses one record. unknown holds its unknown and duplicate fields.
func parseRecord(path *field.Path, item json.RawMessage, record *resolvev1.Record) (unknown field.ErrorList, problem *field.Error) {
	if len(item) == 0 || item[0] != '{' {
		return nil, field.TypeInvalid(path, shorten(item), "must be a record, which is an object")
	}
	return decode(path, item, record)
}
