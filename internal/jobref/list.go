// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/pages"
)

// ListOptions narrow a list of a job's errors.
type ListOptions struct {
	// Resolved, if set, selects the errors with this spec.resolved.
	Resolved *bool
	// ResourceVersion, if set, lists the errors at exactly this resource version.
	ResourceVersion string
	// Limit is the maximum number of errors that List returns; 0 returns all.
	Limit int
	// MaxBytes limits the errors that List returns, measured as the JSON in which the API
	// server sends them; 0 is no limit. List always returns at least one error if there is
	// one.
	MaxBytes int64
	// Continue is the token of an earlier page.
	Continue string
}

// cursor is the position in a list: a value of spec._jobId, and the API server's continue
// token within it.
type cursor struct {
	JobID    string `json:"j"`
	Continue string `json:"c,omitempty"`
}

// List returns the job's errors. It reads from the API server, so that the latest writes
// are included. The second result is the token of the next page, or empty at the end. Each
// page that was read is returned as a whole, so no error is skipped or repeated.
func (r Ref) List(ctx context.Context, apiReader client.Reader, opts ListOptions) ([]joberrorv1.JobError, string, error) {
	at, err := r.start(opts.Continue)
	if err != nil {
		return nil, "", err
	}
	p := pager{ref: r, apiReader: apiReader, opts: opts, at: at, size: pages.First}
	var errs []joberrorv1.JobError
	for {
		page, err := p.read(ctx, len(errs))
		if errors.Is(err, pages.ErrTooLarge) && len(errs) > 0 {
			return errs, p.at.encode(), nil
		}
		if err != nil {
			return nil, "", err
		}
		before := len(errs)
		for i := range page {
			if r.Owns(&page[i]) {
				errs = append(errs, page[i])
			}
		}
		if len(errs) > before {
			p.kept += p.pageBytes
		}
		switch {
		case p.done:
			return errs, "", nil
		case opts.Limit > 0 && len(errs) >= opts.Limit:
			return errs, p.at.encode(), nil
		}
	}
}

// All yields all of the job's errors, which it reads page by page from the API server. If
// a read fails, it yields the error and ends. It ignores Limit, MaxBytes and Continue.
func (r Ref) All(ctx context.Context, apiReader client.Reader, opts ListOptions) iter.Seq2[*joberrorv1.JobError, error] {
	opts.Limit, opts.MaxBytes = 0, 0
	return func(yield func(*joberrorv1.JobError, error) bool) {
		p := pager{ref: r, apiReader: apiReader, opts: opts, at: cursor{JobID: r.names[0]}, size: pages.First}
		for !p.done {
			page, err := p.read(ctx, 0)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				if r.Owns(&page[i]) && !yield(&page[i], nil) {
					return
				}
			}
		}
	}
}

// HasErrors reports whether the job has any error. It reads from the API server only if
// the cache has none.
func (r Ref) HasErrors(ctx context.Context, cache, apiReader client.Reader) (bool, error) {
	known, err := indexed(ctx, cache, r.Namespace, indexJob, r.ID, client.Limit(pages.Max))
	if err != nil || len(known) > 0 && r.Owns(&known[0]) {
		return err == nil, err
	}
	for _, err := range r.All(ctx, apiReader, ListOptions{}) {
		return err == nil, err
	}
	return false, nil
}

// pager reads a job's errors page by page.
type pager struct {
	ref       Ref
	apiReader client.Reader
	opts      ListOptions
	// at is the position of the next page.
	at   cursor
	done bool
	size pages.Size
	// objects and bytes count what was read, and pageBytes the last page.
	objects          int
	bytes, pageBytes int64
	// kept counts the bytes of the pages that List returns.
	kept int64
}

// read reads the next page. count errors are already returned. If another page would exceed
// the limit of bytes, read returns pages.ErrTooLarge and keeps its position.
func (p *pager) read(ctx context.Context, count int) ([]joberrorv1.JobError, error) {
	for {
		size, maxBytes := p.size, int64(pages.MaxBytes)
		if p.opts.Limit > 0 {
			size = min(size, pages.Size(p.opts.Limit-count))
		}
		if p.opts.MaxBytes > 0 {
			maxBytes = min(maxBytes, p.opts.MaxBytes-p.kept)
		}
		if p.bytes > 0 {
			size = min(size, size.Within(maxBytes, p.objects, p.bytes))
		}
		if size < 1 && count > 0 {
			return nil, pages.ErrTooLarge
		}
		if size = max(size, 1); size == 1 && count == 0 {
			maxBytes = pages.Unlimited
		}
		limit := &pages.Limit{Max: maxBytes}
		page, err := p.list(pages.WithLimit(ctx, limit), int64(size))
		if errors.Is(err, pages.ErrTooLarge) && size > 1 {
			p.size = size.Smaller()
			continue
		}
		if err != nil {
			return nil, err
		}
		p.pageBytes = limit.Read
		if len(page.Items) > 0 {
			p.objects, p.bytes = p.objects+len(page.Items), p.bytes+limit.Read
		}
		p.size = p.size.After(len(page.Items), limit.Read)
		var more bool
		p.at, more = p.ref.next(p.at, page.Continue)
		p.done = !more
		return page.Items, nil
	}
}

// list reads a page of this size.
func (p *pager) list(ctx context.Context, size int64) (*joberrorv1.JobErrorList, error) {
	fields := client.MatchingFields{"spec._jobId": p.at.JobID}
	if p.opts.Resolved != nil {
		fields["spec.resolved"] = strconv.FormatBool(*p.opts.Resolved)
	}
	// Limit and Continue must be set next to Raw: the client overwrites the values in Raw.
	raw := &metav1.ListOptions{}
	if p.opts.ResourceVersion != "" && p.at.Continue == "" {
		raw.ResourceVersion = p.opts.ResourceVersion
		raw.ResourceVersionMatch = metav1.ResourceVersionMatchExact
	}
	var list joberrorv1.JobErrorList
	options := &client.ListOptions{Limit: size, Continue: p.at.Continue, Raw: raw}
	err := p.apiReader.List(ctx, &list, options, client.InNamespace(p.ref.Namespace), fields)
	return &list, err
}

// start returns the position at which a list begins or continues.
func (r Ref) start(token string) (cursor, error) {
	if token == "" {
		return cursor{JobID: r.names[0]}, nil
	}
	var at cursor
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(data, &at)
	}
	if err != nil || !slices.Contains(r.names, at.JobID) {
		return at, apierrors.NewBadRequest("continue: the token is not for this job")
	}
	return at, nil
}

// next returns the position after a page. It returns false at the end.
func (r Ref) next(at cursor, token string) (cursor, bool) {
	if token != "" {
		return cursor{JobID: at.JobID, Continue: token}, true
	}
	i, _ := slices.BinarySearch(r.names, at.JobID)
	if i+1 >= len(r.names) {
		return cursor{}, false
	}
	return cursor{JobID: r.names[i+1]}, true
}

// encode returns the cursor as a token.
func (c cursor) encode() string {
	// A struct of two strings always marshals.
	data, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(data)
}
