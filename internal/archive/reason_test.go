// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
)

func TestReason(t *testing.T) {
	t.Parallel()
	for want, errs := range map[string][]error{
		ReasonNoSpace:     {syscall.ENOSPC, &os.PathError{Op: "write", Err: syscall.EDQUOT}, &smithy.GenericAPIError{Code: "XMinioStorageFull"}},
		ReasonForbidden:   {syscall.EACCES, syscall.EROFS, &smithy.GenericAPIError{Code: "ExpiredToken"}},
		ReasonCertificate: {x509.UnknownAuthorityError{}, &net.OpError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "s3"}}},
		ReasonTimeout:     {context.DeadlineExceeded, &net.OpError{Err: os.ErrDeadlineExceeded}},
		ReasonUnavailable: {syscall.ECONNREFUSED, errors.New("other"), &smithy.GenericAPIError{Code: "SlowDown"}, context.Canceled},
	} {
		for _, err := range errs {
			for _, wrapped := range []error{err, fmt.Errorf("write: %w", err), errors.Join(errors.New("other"), fmt.Errorf("write: %w", err)), explain(err)} {
				if got := Reason(wrapped); got != want {
					t.Errorf("Reason(%v) = %s, want %s", wrapped, got, want)
				}
			}
		}
	}
}
