// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"net/http"

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
	err = decodeRequest(data, request, func(given map[string]json.RawMessage) field.ErrorList { return checkRetryRequest(given, request) })
	return request, err
}

// checkRetryRequest checks the fields that the schema of a JobErrorRetry does not.
func checkRetryRequest(given map[string]json.RawMessage, request *resolvev1.RetryRequest) field.ErrorList {
	var problems field.ErrorList
	switch path := field.NewPath("errors"); {
	case given["errors"] == nil:
	case len(request.Errors) == 0:
		problems = append(problems, field.Required(path, "must name at least one error; leave the field out to retry the job whatever its errors are"))
	default:
		problems = append(problems, checkNames(path, request.Errors)...)
	}
	return append(problems, checkReason(request.Reason)...)
}
