// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	"gocloud.dev/gcerrors"
)

// Reasons of failed writes and reads.
const (
	ReasonForbidden   = "Forbidden"
	ReasonNoBucket    = "NoBucket"
	ReasonNoSpace     = "NoSpace"
	ReasonCertificate = "Certificate"
	ReasonTimeout     = "Timeout"
	ReasonUnavailable = "Unavailable"
)

// Codes of S3 and compatible stores whose HTTP status does not say what they mean.
var (
	noSpaceCodes    = []string{"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"}
	credentialCodes = []string{"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"}
)

// Reasons returns all reasons.
func Reasons() []string {
	return []string{ReasonForbidden, ReasonNoBucket, ReasonNoSpace, ReasonCertificate, ReasonTimeout, ReasonUnavailable}
}

// reasons holds the rules for the reason of an error. The first that applies wins.
var reasons = []struct {
	reason  string
	applies func(error) bool
}{
	{ReasonNoSpace, func(err error) bool {
		return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || gcerrors.Code(err) == gcerrors.ResourceExhausted ||
			status(err) == http.StatusInsufficientStorage || slices.Contains(noSpaceCodes, apiCode(err))
	}},
	{ReasonForbidden, func(err error) bool {
		return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EROFS) || gcerrors.Code(err) == gcerrors.PermissionDenied ||
			status(err) == http.StatusUnauthorized || status(err) == http.StatusForbidden || slices.Contains(credentialCodes, apiCode(err)) || noCredentials(err)
	}},
	{ReasonNoBucket, func(err error) bool { return gcerrors.Code(err) == gcerrors.NotFound }},
	{ReasonCertificate, isCertificate},
	{ReasonTimeout, func(err error) bool {
		var network net.Error
		return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
	}},
}

// Reason returns in one word why the store failed, for metrics. It returns ReasonUnavailable for
// all else, which may pass.
func Reason(err error) string {
	for _, r := range reasons {
		if anyOf(err, r.applies) {
			return r.reason
		}
	}
	return ReasonUnavailable
}

// status returns the HTTP status of an answer of S3, or 0.
func status(err error) int {
	var answer interface{ HTTPStatusCode() int }
	if !errors.As(err, &answer) {
		return 0
	}
	return answer.HTTPStatusCode()
}

// apiCode returns the code of an answer of S3, such as NoSuchBucket, or an empty string.
func apiCode(err error) string {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return ""
	}
	return answer.ErrorCode()
}

// noCredentials reports whether the SDK has found no credentials. Its error has no type.
func noCredentials(err error) bool { return strings.Contains(err.Error(), "get credentials:") }

func isCertificate(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// anyOf reports whether a rule applies to an error or to one that it joins or wraps.
func anyOf(err error, applies func(error) bool) bool {
	if err == nil {
		return false
	}
	if applies(err) {
		return true
	}
	switch wrapped := err.(type) { //nolint:errorlint // It walks the tree itself.
	case interface{ Unwrap() []error }:
		for _, one := range wrapped.Unwrap() {
			if anyOf(one, applies) {
				return true
			}
		}
	case interface{ Unwrap() error }:
		return anyOf(wrapped.Unwrap(), applies)
	}
	return false
}
