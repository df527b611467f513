// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net"
	"strings"

	"github.com/aws/smithy-go"
)

// hints begin the text of an error, by its reason.
var hints = map[string]string{
	ReasonForbidden:   "the store refuses the access or the credentials: ",
	ReasonNoBucket:    "the bucket does not exist: ",
	ReasonNoSpace:     "the store is full: ",
	ReasonCertificate: "the certificate of the store is not trusted (set AWS_CA_BUNDLE to a file with its CA): ",
	ReasonTimeout:     "the store did not answer in time: ",
}

// storeError is an error of the store with a short text.
type storeError struct {
	text string
	err  error
}

func (e *storeError) Error() string { return e.text }

func (e *storeError) Unwrap() error { return e.err }

// explain returns an error of the store with a text that says what is wrong. The text of the
// same problem is always the same, without the ID of the request, because it is written to conditions.
func explain(err error) error {
	var explained *storeError
	if err == nil || errors.As(err, &explained) {
		return err
	}
	return &storeError{hints[Reason(err)] + detail(err), err}
}

// detail returns the part of an error that does not change with each request.
func detail(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return strings.TrimSuffix(answer.ErrorCode()+": "+answer.ErrorMessage(), ": ")
	}
	var network *net.OpError
	if errors.As(err, &network) {
		// The local port differs each time.
		if network.Addr != nil {
			return network.Op + " " + network.Addr.String() + ": " + network.Err.Error()
		}
		return network.Op + ": " + network.Err.Error()
	}
	if _, last, found := strings.Cut(err.Error(), "get credentials: "); found {
		return "no credentials: " + last
	}
	return err.Error()
}
