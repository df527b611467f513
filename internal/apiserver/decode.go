// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"joberror.io/operator/internal/truncate"
)

// decode parses a JSON object into a type of the API. unknown holds its unknown and
// duplicate fields, and problem is the first value with the wrong type, if any.
func decode(path *field.Path, data []byte, into any) (unknown field.ErrorList, problem *field.Error) {
	strictErrs, err := kjson.UnmarshalStrict(data, into)
	if err != nil {
		return nil, decodeProblem(path, data, err)
	}
	for _, err := range strictErrs {
		unknown = append(unknown, strictProblem(path, err, into))
	}
	return unknown, nil
}

// decodeProblem returns the problem with data that could not be decoded.
func decodeProblem(path *field.Path, data []byte, err error) *field.Error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return field.TypeInvalid(path.Child(wrongType.Field), wrongType.Value, "must be "+describeType(wrongType.Type))
	}
	if path == nil {
		path = field.NewPath("body")
	}
	return field.Invalid(path, shorten(data), err.Error())
}

// strictProblem returns the problem with an unknown or a duplicate field.
func strictProblem(path *field.Path, err error, into any) *field.Error {
	var at kjson.FieldError
	if !errors.As(err, &at) {
		return field.Forbidden(path, shorten([]byte(err.Error())))
	}
	where := path.Child(shorten([]byte(at.FieldPath())))
	switch {
	case !strings.HasPrefix(err.Error(), "unknown field"):
		return field.Forbidden(where, shorten([]byte(err.Error())))
	case strings.Contains(at.FieldPath(), "."):
		return field.Forbidden(where, "is not known")
	default:
		return field.Forbidden(where, "is not known; the known fields are "+strings.Join(fieldNames(reflect.TypeOf(into).Elem()), ", "))
	}
}

// fieldNames returns the JSON names of a type's fields, sorted.
func fieldNames(structure reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(structure) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// describeType returns the JSON type of a Go type, with its article.
func describeType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice:
		return "an array"
	case reflect.Struct:
		return "an object"
	default:
		return "a " + t.Kind().String()
	}
}

// shorten truncates a value for use in a message.
func shorten(value []byte) string {
	return truncate.Bytes(string(value), 64)
}
