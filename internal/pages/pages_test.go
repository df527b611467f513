// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLimiterLeavesOtherRequestsAlone(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 2*MaxBytes))
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	for _, tc := range []struct {
		limit *Limit
		err   error
	}{{}, {limit: &Limit{Max: MaxBytes}, err: ErrTooLarge}, {limit: &Limit{Max: 2 * MaxBytes}}} {
		ctx := t.Context()
		if tc.limit != nil {
			ctx = WithLimit(ctx, tc.limit)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := Limiter(http.DefaultTransport).RoundTrip(request)
		if !errors.Is(err, tc.err) {
			t.Fatalf("limit %+v: err = %v, want %v", tc.limit, err, tc.err)
		}
		if err != nil {
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || len(body) != 2*MaxBytes {
			t.Errorf("limit %+v: body has %d bytes: %v", tc.limit, len(body), err)
		}
	}
}
