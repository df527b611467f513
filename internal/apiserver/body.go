// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kjson "sigs.k8s.io/json"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// Limits of a request's body. They are checked before it is parsed into
// anything.
const (
	maxBodyBytes = 4 << 20
	maxDepth     = 8
	// maxTokens leaves room for 10,000 records with all their fields.
	maxTokens = 300_000
	// maxReason is the schema's, in characters.
	maxReason = 1024
	// maxProblems is how many problems one answer tells of.
	maxProblems = 10
)

// body is what a resolve request asks for.
type body struct {
	// names are the errors that it names; nil means every open one.
	names []string
	// records are those that it sends, where it is an array; nil where not.
	records []resolvev1.Record
	reason  string
}

// readBody reads a resolve request's body, which may be empty.
func readBody(w http.ResponseWriter, r *http.Request) (*body, error) {
	data, err := readJSON(w, r)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return &body{}, nil
	}
	switch data[0] {
	case '[':
		return parseRecords(data)
	case '{':
		return parseRequest(data)
	default:
		return nil, neitherObjectNorArray(data)
	}
}

func neitherObjectNorArray(data []byte) error {
	return invalidRequest(field.Invalid(field.NewPath("body"), shorten(data), "must be an object or an array of records"))
}

// readJSON reads a body of bounded size and depth, which may be empty.
func readJSON(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the body may have at most %d bytes", maxBodyBytes))
	}
	if err != nil {
		return nil, apierrors.NewBadRequest("the body could not be read: " + err.Error())
	}
	data = bytes.Trim(data, " \t\r\n")
	if len(data) == 0 {
		return nil, nil
	}
	if err := checkContentType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	return data, checkJSON(data)
}

// checkContentType takes a missing type for JSON: "kubectl replace --raw" sends
// none.
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

// checkJSON tells whether data is one JSON value of bounded depth and size.
func checkJSON(data []byte) error {
	malformed := func(problem string) error {
		return apierrors.NewBadRequest("the body is no valid JSON: " + problem)
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
			return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the body may have at most %d names and values", maxTokens))
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
	return nil
}

// parseRequest reads an object. A field that is not known is refused: a
// mistyped "errors" would otherwise resolve everything.
func parseRequest(data []byte) (*body, error) {
	var fields map[string]json.RawMessage
	twice, err := kjson.UnmarshalStrict(data, &fields, kjson.DisallowDuplicateFields)
	if err != nil {
		return nil, apierrors.NewBadRequest("the body is no valid JSON: " + err.Error())
	}
	parsed := &body{}
	var problems field.ErrorList
	for _, err := range twice[:min(len(twice), maxProblems)] {
		problems = append(problems, field.Forbidden(field.NewPath("body"), shorten([]byte(err.Error()))))
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(problems) >= maxProblems {
			break
		}
		value := fields[name]
		path := field.NewPath(shorten([]byte(name)))
		switch name {
		case "errors", "errorIds":
			problems = append(problems, parsed.parseNames(path, value)...)
		case "reason":
			if err := json.Unmarshal(value, &parsed.reason); err != nil {
				problems = append(problems, field.TypeInvalid(path, shorten(value), "must be a string"))
			} else if utf8.RuneCountInString(parsed.reason) > maxReason {
				problems = append(problems, field.TooLong(path, "", maxReason))
			}
		default:
			problems = append(problems, field.Forbidden(path, "is not known here; the known fields are errors, errorIds and reason"))
		}
	}
	if fields["errors"] != nil && fields["errorIds"] != nil {
		problems = append(problems, field.Forbidden(field.NewPath("errorIds"), "must not stand beside errors: they are one and the same"))
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	return parsed, nil
}

// invalidRequest is what a request is answered that is well-formed but asks for
// nonsense, in its body or its parameters.
func invalidRequest(problems ...*field.Error) error {
	return apierrors.NewInvalid(resolvev1.GroupVersion.WithKind("Request").GroupKind(), "", problems)
}
