// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/truncate"
)

// parseNames reads a list of names. An empty one is refused: it could mean
// none of the errors as well as all of them.
func (b *body) parseNames(path *field.Path, value json.RawMessage) field.ErrorList {
	if err := json.Unmarshal(value, &b.names); err != nil {
		return field.ErrorList{field.TypeInvalid(path, shorten(value), "must be an array of names")}
	}
	if len(b.names) == 0 {
		return field.ErrorList{field.Required(path, "must name at least one error; leave the field out to mean every open one")}
	}
	return checkNames(path, b.names)
}

func checkNames(path *field.Path, names []string) field.ErrorList {
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
			problems = append(problems, field.Invalid(path.Index(i), shorten([]byte(name)), "is no name of a JobError: "+messages[0]))
		} else if seen[name] {
			problems = append(problems, field.Duplicate(path.Index(i), name))
		}
		seen[name] = true
	}
	return problems
}

// parseRecords reads an array of records in the source's flat shape. Fields
// that are not known are passed over, as the source's API does.
func parseRecords(data []byte) (*body, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, invalidRequest(field.TypeInvalid(field.NewPath("body"), shorten(data), "must be an array of records"))
	}
	parsed := &body{records: make([]resolvev1.Record, len(items))}
	var problems field.ErrorList
	for i, item := range items {
		if len(problems) >= maxProblems {
			break
		}
		if problem := parseRecord(field.NewPath("body").Index(i), item, &parsed.records[i]); problem != nil {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	return parsed, nil
}

func parseRecord(path *field.Path, item json.RawMessage, record *resolvev1.Record) *field.Error {
	if len(item) == 0 || item[0] != '{' {
		return field.TypeInvalid(path, shorten(item), "must be a record, which is an object")
	}
	err := json.Unmarshal(item, record)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return field.TypeInvalid(path.Child(wrong.Field), wrong.Value, fmt.Sprintf("must be a %s", kindName(wrong)))
	}
	if err != nil {
		return field.Invalid(path, shorten(item), err.Error())
	}
	return nil
}

func kindName(wrong *json.UnmarshalTypeError) string {
	if wrong.Type.Kind().String() == "bool" {
		return "boolean"
	}
	return wrong.Type.Kind().String()
}

// shorten keeps a message from repeating a whole body.
func shorten(value []byte) string {
	return truncate.Bytes(string(value), 64)
}
