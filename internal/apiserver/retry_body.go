// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// readRetryBody reads the body of a request to retry a job. The body may be empty.
func readRetryBody(w http.ResponseWriter, r *http.Request) (*resolvev1.RetryRequest, error) {
	request := &resolvev1.RetryRequest{}
	data, _, err := readJSON(w, r)
	if err != nil || len(data) == 0 {
		return request, err
	}
	if data[0] != '{' {
		return nil, invalidRequest(field.Invalid(field.NewPath("body"), shorten(data), "must be an object"))
	}
	problems, problem := decode(nil, data, request)
	if problem != nil {
		problems = append(problems, problem)
	}
	if len(problems) == 0 {
		problems = checkRetryRequest(data, request)
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	return request, nil
}

// checkRetryRequest checks the fields that the schema of a JobErrorRetry does not.
func checkRetryRequest(data []byte, request *resolvev1.RetryRequest) field.ErrorList {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("body"), shorten(data), err.Error())}
	}
	var problems field.ErrorList
	switch path := field.NewPath("errors"); {
	case given["errors"] == nil:
	case len(request.Errors) == 0:
		problems = append(problems, field.Required(path, "must name at least one error; leave the field out to retry the job whatever its errors are"))
	default:
		problems = append(problems, checkNames(path, request.Errors)...)
	}
	if utf8.RuneCountInString(request.Reason) > maxReason {
		problems = append(problems, field.TooLong(field.NewPath("reason"), "", maxReason))
	}
	return problems
}
