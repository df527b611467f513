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

// chunk is how many objects are read with one request.
const chunk = 500

// ListOptions narrow a list of a job's errors.
type ListOptions struct {
	// Resolved, where set, keeps only the errors whose spec.resolved is this.
	Resolved *bool
	// ResourceVersion, where set, lists the errors as they were at exactly
	// this version of the store.
	ResourceVersion string
	// Limit is how many errors to return at most; 0 returns all.
	Limit int
	// Continue goes on after an earlier page.
	Continue string
}

// cursor is where the next page begins: the value of spec._jobId that is being
// listed, and the API server's own token within it.
type cursor struct {
	JobID    string `json:"j"`
	Continue string `json:"c,omitempty"`
}

// List reads the job's errors from the API server itself, so that what was
// written a moment ago is there. The second result continues the list; it is
// empty at the end.
func (r Ref) List(ctx context.Context, live client.Reader, opts ListOptions) ([]joberrorv1.JobError, string, error) {
	at, err := r.start(opts.Continue)
	if err != nil {
		return nil, "", err
	}
	var found []joberrorv1.JobError
	for {
		page, err := r.page(ctx, live, opts, at, len(found))
		if err != nil {
			return nil, "", err
		}
		for i := range page.Items {
			if r.Owns(&page.Items[i]) {
				found = append(found, page.Items[i])
			}
		}
		more := true
		if at, more = r.next(at, page.Continue); !more {
			return found, "", nil
		}
		if opts.Limit > 0 && len(found) >= opts.Limit {
			return found, at.encode(), nil
		}
	}
}

// All yields all of the job's errors, read from the API server itself page by
// page, or the error that kept it from going on.
func (r Ref) All(ctx context.Context, live client.Reader, opts ListOptions) iter.Seq2[*joberrorv1.JobError, error] {
	return func(yield func(*joberrorv1.JobError, error) bool) {
		for at, more := (cursor{JobID: r.names[0]}), true; more; {
			page, err := r.page(ctx, live, opts, at, 0)
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

// Exists tells whether the job has an error at all. The cache answers for all
// but the newest.
func (r Ref) Exists(ctx context.Context, cache, live client.Reader) (bool, error) {
	known, err := indexed(ctx, cache, r.Namespace, indexJob, r.ID, client.Limit(1))
	if err != nil || len(known) > 0 && r.Owns(&known[0]) {
		return err == nil, err
	}
	for _, err := range r.All(ctx, live, ListOptions{}) {
		return err == nil, err
	}
	return false, nil
}

func (r Ref) page(ctx context.Context, live client.Reader, opts ListOptions, at cursor, have int) (*joberrorv1.JobErrorList, error) {
	fields := client.MatchingFields{"spec._jobId": at.JobID}
	if opts.Resolved != nil {
		fields["spec.resolved"] = strconv.FormatBool(*opts.Resolved)
	}
	limit := chunk
	if opts.Limit > 0 {
		limit = min(limit, opts.Limit-have)
	}
	// Limit and Continue must stand beside Raw: the client overwrites those in it.
	raw := &metav1.ListOptions{}
	if opts.ResourceVersion != "" && at.Continue == "" {
		raw.ResourceVersion = opts.ResourceVersion
		raw.ResourceVersionMatch = metav1.ResourceVersionMatchExact
	}
	var list joberrorv1.JobErrorList
	options := &client.ListOptions{Limit: int64(limit), Continue: at.Continue, Raw: raw}
	err := live.List(ctx, &list, options, client.InNamespace(r.Namespace), fields)
	return &list, err
}

// start is where a list begins.
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
		return at, apierrors.NewBadRequest("continue: this token was not given out for this job")
	}
	return at, nil
}

// next is where a list goes on after a page; false at the end.
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

func (c cursor) encode() string {
	// A struct of two strings always marshals.
	data, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(data)
}
