// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"joberror.io/operator/test/harness"
)

// answer is how a bucket answers a request to write an object.
type answer string

const (
	stores       answer = ""
	isDown       answer = "is down"
	isSlow       answer = "is slow"
	isStuck      answer = "answers once it is told otherwise"
	failsAfter   answer = "fails after it wrote"
	tokenExpired answer = "credentials have expired"
)

// bucket is a bucket with the API of S3, as far as writing needs it. It can't be written if it is
// told so, and its objects are files in a directory, where a store of the scheme file reads them.
type bucket struct {
	url, dir string
	mode     atomic.Pointer[answer]
	// writes counts the requests to write an object.
	writes atomic.Int64
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{dir: t.TempDir()}
	b.set(stores)
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = "s3://archive?region=us-east-1&use_path_style=true&request_checksum_calculation=when_required&endpoint=" + server.URL
	return b
}

func (b *bucket) set(mode answer) { b.mode.Store(&mode) }

// waitWrites waits until the bucket has got n more requests to write an object.
func (b *bucket) waitWrites(t *testing.T, n int64) {
	t.Helper()
	want := b.writes.Load() + n
	harness.Eventually(t, func() string {
		if got := b.writes.Load(); got < want {
			return fmt.Sprintf("the bucket got %d requests, want %d", got, want)
		}
		return ""
	})
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, found := strings.CutPrefix(r.URL.Path, "/archive/")
	if r.Method != http.MethodPut || !found || !filepath.IsLocal(key) {
		refuse(w, http.StatusNotImplemented, "NotImplemented")
		return
	}
	b.writes.Add(1)
	switch *b.mode.Load() {
	case isDown:
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable")
		return
	case tokenExpired:
		refuse(w, http.StatusBadRequest, "ExpiredToken")
		return
	case isSlow:
		select {
		case <-r.Context().Done():
			return
		case <-time.After(2 * time.Second):
		}
	case isStuck:
		for *b.mode.Load() == isStuck {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	if err := b.store(key, r.Body); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	if *b.mode.Load() == failsAfter {
		refuse(w, http.StatusInternalServerError, "InternalError")
	}
}

func (b *bucket) store(key string, body io.Reader) error {
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	path := filepath.Join(b.dir, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func refuse(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(code)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}{Code: reason})
}
