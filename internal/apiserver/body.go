// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// Limits of a request's body. They are checked before the body is parsed.
const (
	maxBodyBytes = 4 << 20
	maxDepth     = 8
	// maxTokens leaves room for 10,000 records with all their fields.
	maxTokens = 300_000
	// maxReason limits the reason, in characters, as the schema does.
	maxReason = 1024
	// maxProblems limits the problems in one answer.
	maxProblems = 10
)

// resolveBody holds the body of a resolve request.
type resolveBody struct {
	// names are the names of errors in it; nil means every open error.
	names []string
	// records holds what the records of an array ask for; nil for an object.
	records *recordIndex
	reason  string
}

// readBody reads the body of a request to resolve or reopen errors. The body may be empty.
func readBody(w http.ResponseWriter, r *http.Request, resolved bool) (*resolveBody, error) {
	data, _, err := readJSON(w, r)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return &resolveBody{}, nil
	}
	switch data[0] {
	case '[':
		return parseRecords(data, resolved)
	case '{':
		return parseRequest(data)
	default:
		return nil, neitherObjectNorArray(data)
	}
}

func neitherObjectNorArray(data []byte) error {
	return invalidRequest(field.Invalid(field.NewPath("body"), shorten(data), "must be an object or an array of records"))
}

// readJSON reads a JSON body and checks the limits. The body may be empty. If it is an array,
// the second result is the number of its elements.
func readJSON(w http.ResponseWriter, r *http.Request) ([]byte, int, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, 0, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the body may have at most %d bytes", maxBodyBytes))
	}
	if err != nil {
		return nil, 0, apierrors.NewBadRequest("the body could not be read: " + err.Error())
	}
	data = bytes.Trim(data, " \t\r\n")
	if len(data) == 0 {
		return nil, 0, nil
	}
	if err := checkContentType(r.Header.Get("Content-Type")); err != nil {
		return nil, 0, err
	}
	elements, err := checkJSON(data)
	return data, elements, err
}

// checkContentType checks that the body is JSON. A missing type means JSON: "kubectl replace
// --raw" sends none.
func checkContentType(value string) error {
	if value == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(value)
	if err == nil && media == "application/json" {
		return nil
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("Content-Type: the body must be application/json, not %q", value),
	}}
}

// checkJSON checks that data is one JSON value within the limits. If it is an array, checkJSON
// returns the number of its elements.
func checkJSON(data []byte) (elements int, err error) {
	malformed := func(problem string) (int, error) {
		return 0, apierrors.NewBadRequest("the body is not valid JSON: " + problem)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	depth := 0
	for tokens := 1; ; tokens++ {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return malformed("it ends too early")
		}
		if err != nil {
			return malformed(err.Error())
		}
		if tokens > maxTokens {
			return 0, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the body may have at most %d names and values", maxTokens))
		}
		if depth == 1 && token != json.Delim(']') {
			elements++
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return malformed(fmt.Sprintf("it is nested more than %d levels deep", maxDepth))
		}
		if depth == 0 {
			break
		}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return malformed("something follows after its end")
	}
	return elements, nil
}

// eachElement calls visit for each element of an array in valid JSON, until it returns false.
// The element's bytes are valid only during the call.
func eachElement(data []byte, visit func(i int, element json.RawMessage) bool) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	var element json.RawMessage
	for i := 0; decoder.More(); i++ {
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		if !visit(i, element) {
			return nil
		}
	}
	return nil
}

// parseRequest parses an object. It rejects unknown fields: a mistyped "errors" would
// otherwise resolve everything.
func parseRequest(data []byte) (*resolveBody, error) {
	var request resolvev1.ResolveRequest
	err := decodeRequest(data, &request, func(given map[string]json.RawMessage) field.ErrorList { return checkRequest(given, &request) })
	if err != nil {
		return nil, err
	}
	return &resolveBody{names: slices.Concat(request.Errors, request.ErrorIDs), reason: request.Reason}, nil
}

// decodeRequest parses an object, and rejects unknown fields and what check finds wrong. check
// gets the fields that the body has: a list that is given and empty must not mean the same as
// one that is left out.
func decodeRequest(data []byte, into any, check func(given map[string]json.RawMessage) field.ErrorList) error {
	problems, problem := decode(nil, data, into)
	if problem != nil {
		problems = append(problems, problem)
	}
	if len(problems) > 0 {
		return invalidRequest(problems...)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return invalidRequest(field.Invalid(field.NewPath("body"), shorten(data), err.Error()))
	}
	if problems := check(given); len(problems) > 0 {
		return invalidRequest(problems...)
	}
	return nil
}

// checkRequest checks the fields of a request.
func checkRequest(given map[string]json.RawMessage, request *resolvev1.ResolveRequest) field.ErrorList {
	var problems field.ErrorList
	if given["errors"] != nil {
		problems = append(problems, checkNames(field.NewPath("errors"), request.Errors)...)
	}
	if given["errorIds"] != nil {
		problems = append(problems, checkNames(field.NewPath("errorIds"), request.ErrorIDs)...)
	}
	if given["errors"] != nil && given["errorIds"] != nil {
		problems = append(problems, field.Forbidden(field.NewPath("errorIds"), "must not be used together with errors, which means the same"))
	}
	return append(problems, checkReason(request.Reason)...)
}

// checkReason checks the reason of a request.
func checkReason(reason string) field.ErrorList {
	if utf8.RuneCountInString(reason) > maxReason {
		return field.ErrorList{field.TooLong(field.NewPath("reason"), "", maxReason)}
	}
	return nil
}

// invalidRequest returns the error for a well-formed request with an invalid body or invalid
// parameters. It names at most maxProblems problems.
func invalidRequest(problems ...*field.Error) error {
	return apierrors.NewInvalid(resolvev1.GroupVersion.WithKind("Request").GroupKind(), "", problems[:min(len(problems), maxProblems)])
}
