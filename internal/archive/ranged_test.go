// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
)

// inMemory returns a bucket in memory with one object.
func inMemory(t *testing.T, data []byte) *blob.Bucket {
	t.Helper()
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = bucket.Close() })
	if err := bucket.WriteAll(t.Context(), "object", data, nil); err != nil {
		t.Fatal(err)
	}
	return bucket
}

// counter counts requests and bytes up to a limit.
type counter struct {
	requests    int
	read, limit int64
}

func (c *counter) spend(n int64) error {
	if c.read+n > c.limit {
		return errTooMuch
	}
	c.requests++
	c.read += n
	return nil
}

// counted returns a reader of the object in a bucket, and the counter of its requests.
func counted(t *testing.T, bucket *blob.Bucket, limit int64) (*ranged, *counter) {
	t.Helper()
	attributes, err := bucket.Attributes(t.Context(), "object")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{limit: limit}
	return newRanged(t.Context(), bucket, "object", attributes.Size, c.spend), c
}

func TestRangedReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 7} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		file, c := counted(t, inMemory(t, data), 1<<30)
		if err := iotest.TestReader(io.NewSectionReader(file, 0, int64(size)), data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if c.read != int64(size) {
			t.Errorf("read %d bytes of %d", c.read, size)
		}
		for range 100 {
			from := rand.IntN(size)
			part := make([]byte, rand.IntN(size-from)+1)
			if n, err := file.ReadAt(part, int64(from)); err != nil || !bytes.Equal(part[:n], data[from:from+len(part)]) {
				t.Fatalf("ReadAt(%d bytes, %d) of %d = %d, %v", len(part), from, size, n, err)
			}
		}
		if n, err := file.ReadAt(make([]byte, 10), int64(size)-1); n != 1 || !errors.Is(err, io.EOF) {
			t.Errorf("ReadAt over the end = %d, %v, want 1, EOF", n, err)
		}
		if _, err := file.ReadAt(make([]byte, 1), -1); err == nil {
			t.Error("read before the start")
		}
	}
}

func TestRangedHoldsFewBlocks(t *testing.T) {
	t.Parallel()
	file, c := counted(t, inMemory(t, make([]byte, (maxBlocks+10)*blockSize)), 1<<30)
	if _, err := io.Copy(io.Discard, io.NewSectionReader(file, 0, file.size)); err != nil {
		t.Fatal(err)
	}
	if file.blocks.Len() != maxBlocks || c.requests != maxBlocks+10 {
		t.Errorf("%d blocks are in memory after %d requests", file.blocks.Len(), c.requests)
	}
}

func TestRangedStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	file, _ := counted(t, inMemory(t, make([]byte, 3*blockSize)), 2*blockSize)
	if _, err := io.Copy(io.Discard, io.NewSectionReader(file, 0, file.size)); !errors.Is(err, errTooMuch) || file.failed != nil {
		t.Errorf("reading too much: %v, failed = %v", err, file.failed)
	}
}

func TestAFailedStoreIsNoDamagedObject(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*testing.T, *blob.Bucket)
		failed bool
	}{
		"the store fails": {func(_ *testing.T, bucket *blob.Bucket) { _ = bucket.Close() }, true},
		"the object was deleted": {func(t *testing.T, bucket *blob.Bucket) {
			if err := bucket.Delete(t.Context(), "object"); err != nil {
				t.Fatal(err)
			}
		}, false},
		"the object became shorter": {func(t *testing.T, bucket *blob.Bucket) {
			if err := bucket.WriteAll(t.Context(), "object", []byte("short"), nil); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		bucket := inMemory(t, make([]byte, 100))
		file, _ := counted(t, bucket, 1<<30)
		tc.change(t, bucket)
		if _, err := file.ReadAt(make([]byte, 10), 50); err == nil || file.failed != nil != tc.failed {
			t.Errorf("%s: ReadAt returned %v, failed = %v", name, err, file.failed)
		}
	}
}
