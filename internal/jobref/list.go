// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// pageSize limits how many objects one request reads.
const pageSize = 500

// ListOptions narrow a list of a job's errors.
type ListOptions struct {
	// Resolved, if set, selects the errors with this spec.resolved.
	Resolved *bool
	// ResourceVersion, if set, lists the errors at exactly this resource version.
	ResourceVersion string
	// Limit is the maximum number of errors to return; 0 returns all.
	Limit int
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
// are included. The second result is the token of the next page, or empty at the end.
func (r Ref) List(ctx context.Context, apiReader client.Reader, opts ListOptions) ([]joberrorv1.JobError, string, error) {
	at, err := r.start(opts.Continue)
	if err != nil {
		return nil, "", err
	}
	var errs []joberrorv1.JobError
	for {
		page, err := r.page(ctx, apiReader, opts, at, len(errs))
		if err != nil {
			return nil, "", err
		}
		for i := range page.Items {
			if r.Owns(&page.Items[i]) {
				errs = append(errs, page.Items[i])
			}
		}
		next, more := r.next(at, page.Continue)
		if at = next; !more {
			return errs, "", nil
		}
		if opts.Limit > 0 && len(errs) >= opts.Limit {
			return errs, at.encode(), nil
		}
	}
}

// All yields all of the job's errors, which it reads page by page from the API server. If
// a read fails, it yields the error and ends.
func (r Ref) All(ctx context.Context, apiReader client.Reader, opts ListOptions) iter.Seq2[*joberrorv1.JobError, error] {
	return func(yield func(*joberrorv1.JobError, error) bool) {
		for at, more := (cursor{JobID: r.names[0]}), true; more; {
			page, err := r.page(ctx, apiReader, opts, at, 0)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Items {
				if r.Owns(&page.Items[i]) && !yield(&page.Items[i], nil) {
					return
				}
			}
			at, more = r.next(at, page.Continue)
		}
	}
}

// HasErrors reports whether the job has any error. It reads from the API server only if
// the cache has none.
func (r Ref) HasErrors(ctx context.Context, cache, apiReader client.Reader) (bool, error) {
	known, err := indexed(ctx, cache, r.Namespace, indexJob, r.ID, client.Limit(pageSize))
	if err != nil || len(known) > 0 && r.Owns(&known[0]) {
		return err == nil, err
	}
	for _, err := range r.All(ctx, apiReader, ListOptions{}) {
		return err == nil, err
	}
	return false, nil
}

// page reads one page of JobErrors. The first count errors of the limit are already read.
func (r Ref) page(ctx context.Context, apiReader client.Reader, opts ListOptions, at cursor, count int) (*joberrorv1.JobErrorList, error) {
	fields := client.MatchingFields{"spec._jobId": at.JobID}
	if opts.Resolved != nil {
		fields["spec.resolved"] = strconv.FormatBool(*opts.Resolved)
	}
	limit := pageSize
	if opts.Limit > 0 {
		limit = min(limit, opts.Limit-count)
	}
	// Limit and Continue must be set next to Raw: the client overwrites the values in Raw.
	raw := &metav1.ListOptions{}
	if opts.ResourceVersion != "" && at.Continue == "" {
		raw.ResourceVersion = opts.ResourceVersion
		raw.ResourceVersionMatch = metav1.ResourceVersionMatchExact
	}
	var list joberrorv1.JobErrorList
	options := &client.ListOptions{Limit: int64(limit), Continue: at.Continue, Raw: raw}
	err := apiReader.List(ctx, &list, options, client.InNamespace(r.Namespace), fields)
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
