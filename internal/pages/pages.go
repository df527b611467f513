// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package pages limits how large the pages are in which JobErrors are read from the API server.
package pages

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
)

// Limits of one page that is read from the API server.
const (
	// First is the number of objects in the first page, before their size is known.
	First = 50
	// Max limits the number of objects in a page.
	Max = 500
	// MaxBytes limits the size of a page, as JSON. A page with one object may be larger:
	// etcd limits objects to 1.5 MiB.
	MaxBytes = 1 << 20
	// Unlimited is the limit of a page that may have any size.
	Unlimited = math.MaxInt64 - 1
)

// ErrTooLarge is the error of a page that is larger than its limit.
var ErrTooLarge = errors.New("the page is too large")

// Size is the number of objects that the next page asks for.
type Size int

// After returns the size of the page that follows a page with this many objects and bytes.
// It grows slowly, because later objects may be larger than those seen so far.
func (s Size) After(objects int, read int64) Size {
	size := min(4*s, Max)
	if objects > 0 && read > 0 {
		size = min(size, s.Within(MaxBytes*3/4, objects, read))
	}
	return max(size, 1)
}

// Within returns how many objects fit into max bytes, if they are as large as the objects
// read so far.
func (Size) Within(maxBytes int64, objects int, read int64) Size {
	return Size(min(maxBytes*int64(objects)/read, Max))
}

// Smaller returns the size to use after a page was too large.
func (s Size) Smaller() Size { return max(s/4, 1) }

// Limit limits the bytes of a page, and holds how many were read.
type Limit struct{ Max, Read int64 }

type limitKey struct{}

// WithLimit returns a context for a request for a page.
func WithLimit(ctx context.Context, limit *Limit) context.Context {
	return context.WithValue(ctx, limitKey{}, limit)
}

// LimitOf returns the limit in the context of a request, if there is one.
func LimitOf(ctx context.Context) (*Limit, bool) {
	limit, ok := ctx.Value(limitKey{}).(*Limit)
	return limit, ok
}

// Limiter returns a transport that ends requests for pages of JobErrors that are larger
// than expected, so that large errors can't fill the memory. The caller then asks for a
// smaller page. It does not change other requests.
func Limiter(transport http.RoundTripper) http.RoundTripper { return limiter{transport} }

type limiter struct{ transport http.RoundTripper }

// RoundTrip sends a request. It returns ErrTooLarge if the response is larger than the
// limit in the request's context.
func (l limiter) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.transport.RoundTrip(request)
	limit, ok := LimitOf(request.Context())
	if err != nil || !ok || response.StatusCode != http.StatusOK {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit.Max+1))
	if err != nil {
		return nil, err
	}
	if limit.Read = int64(len(body)); limit.Read > limit.Max {
		return nil, ErrTooLarge
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
