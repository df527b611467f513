// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"k8s.io/utils/lru"
)

const (
	// blockSize is how much one request reads. The footer and the bloom filters of an object, which
	// are at its end, fit into one block.
	blockSize = 128 << 10
	// maxBlocks limits the blocks of an object in memory.
	maxBlocks = 32
)

// errTooMuch ends a read that exceeds the bytes of a page.
var errTooMuch = errors.New("the page has read as much as it may")

// ranged reads an object in blocks, which it counts from the end of the object. It is not safe
// for concurrent use.
type ranged struct {
	ctx    context.Context
	bucket *blob.Bucket
	name   string
	size   int64
	// spend is called before a read of this many bytes, and may refuse it.
	spend  func(bytes int64) error
	blocks *lru.Cache
	// failed holds the error of a store that could not be read. The object may be fine. The decoder
	// may hide the error.
	failed error
}

func newRanged(ctx context.Context, bucket *blob.Bucket, name string, size int64, spend func(int64) error) *ranged {
	return &ranged{ctx: ctx, bucket: bucket, name: name, size: size, spend: spend, blocks: lru.New(maxBlocks)}
}

// ReadAt reads from the blocks at an offset.
func (r *ranged) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("the offset %d is before the start", offset)
	}
	n := 0
	for n < len(p) && offset < r.size {
		number := (r.size - 1 - offset) / blockSize
		block, start, err := r.block(number)
		if err != nil {
			return n, err
		}
		copied := copy(p[n:], block[offset-start:])
		n += copied
		offset += int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// block returns a block and its offset in the object.
func (r *ranged) block(number int64) (block []byte, start int64, err error) {
	end := r.size - number*blockSize
	start = max(0, end-blockSize)
	if block, found := r.blocks.Get(number); found {
		return block.([]byte), start, nil
	}
	if err := r.spend(end - start); err != nil {
		return nil, 0, err
	}
	block = make([]byte, end-start)
	if err := r.read(block, start); err != nil {
		err = fmt.Errorf("read %s at %d: %w", r.name, start, explain(err))
		if !missing(err) {
			r.failed = err
		}
		return nil, 0, err
	}
	r.blocks.Add(number, block)
	return block, start, nil
}

func (r *ranged) read(block []byte, start int64) error {
	reader, err := r.bucket.NewRangeReader(r.ctx, r.name, start, int64(len(block)), nil)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(reader, block)
	return errors.Join(err, reader.Close())
}

// missing reports whether an error is that of one object only: it was deleted, became shorter, or
// was moved to a class of storage that can't be read.
func missing(err error) bool {
	return gcerrors.Code(err) == gcerrors.NotFound || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || apiCode(err) == "InvalidObjectState" || apiCode(err) == "InvalidRange"
}
