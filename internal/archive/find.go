// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

var (
	// errFull ends a page that has enough.
	errFull = errors.New("the page is full")
	// errForeign is the problem of a file whose name is not one of the operator's.
	errForeign = errors.New("the operator did not write it")
)

// Find returns a page of archived errors, newest day first. Errors mean that the store can't be
// read or that Continue is invalid (ErrContinue, ErrNamespace). Objects that are damaged, or that
// the operator did not write, are skipped.
func (s *Store) Find(ctx context.Context, q Query) (Page, error) {
	from, err := q.start()
	if err != nil {
		return Page{}, err
	}
	if q.Continue != "" {
		q.Since, q.Until = from.Since, from.Until
	}
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, s.limits.time+grace)
	defer cancel()
	f := &finder{store: s, query: q, deadline: s.clock.Now().Add(s.limits.time), seen: map[[2]string]int{}}
	dates, err := s.dates(ctx, &q)
	if err != nil {
		return Page{}, err
	}
	if from.Date != "" {
		dates = slices.DeleteFunc(dates, func(date string) bool { return date > from.Date })
	}
	err = f.months(ctx, monthsOf(dates), from)
	switch {
	case errors.Is(err, errFull), ctx.Err() != nil && caller.Err() == nil && f.page.Objects > 1:
		f.at.Query, f.at.NamespaceUID, f.at.Since, f.at.Until = q.hash(), q.NamespaceUID, q.Since, q.Until
		f.page.Continue = f.at.encode()
	case err != nil:
		return Page{}, err
	}
	slices.SortStableFunc(f.page.Records, func(a, b Record) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.UID, b.UID))
	})
	return f.page, nil
}

// finder collects a page.
type finder struct {
	store    *Store
	query    Query
	deadline time.Time
	page     Page
	// seen holds the index of each record in page.Records.
	seen map[[2]string]int
	// records is the number of bytes of the page's records.
	records int
	// at is where the next page begins.
	at position
	// spending guards page.BytesRead.
	spending sync.Mutex
}

func (f *finder) months(ctx context.Context, months []month, from position) error {
	for i, m := range months {
		// Each page lists a month at least, so that the next one makes progress.
		if i > 0 && f.late() {
			f.at = position{Date: m.dates[0]}
			return errFull
		}
		objects, err := f.store.objects(ctx, &f.query, m)
		if err != nil {
			return err
		}
		if i == 0 {
			objects = slices.DeleteFunc(objects, func(o stored) bool { return o.date == from.Date && o.file < from.Object })
		}
		if err := f.objects(ctx, objects, from); err != nil {
			return err
		}
		f.through(m.dates[len(m.dates)-1])
	}
	return nil
}

// objects reads objects in the order of the list.
func (f *finder) objects(ctx context.Context, objects []stored, from position) error {
	var files []*ranged
	for i, o := range objects {
		if o.file == "" {
			f.skip(o.key, errForeign)
			continue
		}
		f.at = position{Date: o.date, Object: o.file}
		if o.date == from.Date && o.file == from.Object {
			f.at.Rows = from.Rows
		}
		// Each page reads an object at least.
		if f.page.Objects > 0 && (f.page.Objects >= f.store.limits.objects || f.read() >= f.store.limits.bytes || f.late()) {
			return errFull
		}
		f.through(o.date)
		if len(files) == 0 {
			files = f.open(ctx, objects[i:min(i+readAhead, len(objects))])
		}
		file := files[0]
		files = files[1:]
		if err := f.object(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// open returns readers of objects, except those that the operator did not write. It reads their ends
// at the same time if that leaves half of the page's bytes, because most objects need no other request.
func (f *finder) open(ctx context.Context, objects []stored) []*ranged {
	var files []*ranged
	ends := int64(0)
	for _, o := range objects {
		if o.file == "" {
			continue
		}
		files = append(files, newRanged(ctx, f.store.bucket, o.key, o.size, f.spend))
		ends += min(o.size, blockSize)
	}
	if f.read()+ends > f.store.limits.bytes/2 {
		return files
	}
	var reading sync.WaitGroup
	for _, file := range files[:min(len(files), f.store.limits.objects-f.page.Objects)] {
		if file.size > 0 {
			reading.Go(func() {
				// Whoever needs the block gets the error again.
				_, _, _ = file.block(0)
				file.failed = nil
			})
		}
	}
	reading.Wait()
	return files
}

// object reads an object from f.at on.
func (f *finder) object(ctx context.Context, file *ranged) error {
	f.page.Objects++
	err := scan(ctx, file, file.size, f.query, f.at.Rows, f.add)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errFull):
		return errFull
	case errors.Is(err, errTooMuch) && f.page.Objects > 1:
		return errFull
	case ctx.Err() != nil:
		return fmt.Errorf("read the archive: %w", ctx.Err())
	case file.failed != nil:
		return file.failed
	}
	f.skip(file.name, err)
	return nil
}

// skip reports an object that the page does not have.
func (f *finder) skip(object string, err error) {
	if len(f.page.Skipped) < f.store.limits.skipped {
		f.page.Skipped = append(f.page.Skipped, Problem{object, err})
	}
}

// late reports whether the time of the page is over.
func (f *finder) late() bool { return !f.store.clock.Now().Before(f.deadline) }

// through notes the day that the page has reached.
func (f *finder) through(date string) {
	// The days were checked when they were listed.
	f.page.Through, _ = time.Parse(time.DateOnly, date)
}

func (f *finder) read() int64 {
	f.spending.Lock()
	defer f.spending.Unlock()
	return f.page.BytesRead
}

// spend counts the bytes of a read. The first object of a page may take twice the limit, so that
// the next page makes progress.
func (f *finder) spend(bytes int64) error {
	f.spending.Lock()
	defer f.spending.Unlock()
	limit := f.store.limits.bytes
	if f.page.Objects <= 1 {
		limit *= 2
	}
	if f.page.BytesRead+bytes > limit {
		return errTooMuch
	}
	f.page.BytesRead += bytes
	return nil
}

// add adds a record to the page. If the page has it already, the one that was archived later
// stays.
func (f *finder) add(r Record) error {
	size := r.size()
	if len(f.page.Records) >= f.query.Limit || len(f.page.Records) > 0 && f.records+size > f.store.limits.records {
		return errFull
	}
	f.at.Rows++
	version := [2]string{r.UID, r.RetryID}
	i, again := f.seen[version]
	switch {
	case !again:
		f.seen[version] = len(f.page.Records)
		f.page.Records = append(f.page.Records, r)
		f.records += size
	case r.ArchivedAt.After(f.page.Records[i].ArchivedAt):
		f.records += size - f.page.Records[i].size()
		f.page.Records[i] = r
	}
	return nil
}
