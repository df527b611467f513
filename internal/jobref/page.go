// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

// Limits of one page that is read from the API server.
const (
	// firstPage is the number of objects in the first page, before their size is known.
	firstPage = 50
	// maxPage limits the number of objects in a page.
	maxPage = 500
	// maxPageBytes limits the size of a page, as JSON. A page with one object may be larger:
	// etcd limits objects to 1.5 MiB.
	maxPageBytes = 1 << 20
)

// errPageTooLarge is the error of a page that is larger than its limit.
var errPageTooLarge = errors.New("the page is too large")

// pageSize is the number of objects that the next page asks for.
type pageSize int

// after returns the size of the page that follows a page with this many objects and bytes.
// It grows slowly, because later objects may be larger than those seen so far.
func (s pageSize) after(objects int, read int64) pageSize {
	size := min(4*s, maxPage)
	if objects > 0 && read > 0 {
		size = min(size, s.within(maxPageBytes*3/4, objects, read))
	}
	return max(size, 1)
}

// within returns how many objects fit into max bytes, if they are as large as the objects
// read so far.
func (pageSize) within(maxBytes int64, objects int, read int64) pageSize {
	return pageSize(min(maxBytes*int64(objects)/read, maxPage))
}

// smaller returns the size to use after a page was too large.
func (s pageSize) smaller() pageSize { return max(s/4, 1) }

// pageLimit limits the bytes of a page, and holds how many were read.
type pageLimit struct{ max, read int64 }

type pageLimitKey struct{}

func withPageLimit(ctx context.Context, limit *pageLimit) context.Context {
	return context.WithValue(ctx, pageLimitKey{}, limit)
}

// LimitPages returns a transport that ends requests for pages of JobErrors that are larger
// than expected, so that large errors can't fill the memory. This package then asks for a
// smaller page. It does not change other requests.
func LimitPages(transport http.RoundTripper) http.RoundTripper { return pageLimiter{transport} }

type pageLimiter struct{ transport http.RoundTripper }

// RoundTrip sends a request. It returns errPageTooLarge if the response is larger than the
// limit in the request's context.
func (l pageLimiter) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.transport.RoundTrip(request)
	limit, ok := request.Context().Value(pageLimitKey{}).(*pageLimit)
	if err != nil || !ok || response.StatusCode != http.StatusOK {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit.max+1))
	if err != nil {
		return nil, err
	}
	if limit.read = int64(len(body)); limit.read > limit.max {
		return nil, errPageTooLarge
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
