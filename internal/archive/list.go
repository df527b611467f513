// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gocloud.dev/blob"
)

// month holds the days of a month that have objects, newest first. One request lists up to 1,000
// objects, so a month costs about as much as a day.
type month struct {
	// name is YYYY-MM.
	name  string
	dates []string
}

// monthsOf groups days by month, newest first.
func monthsOf(dates []string) []month {
	slices.Sort(dates)
	slices.Reverse(dates)
	var months []month
	for _, date := range dates {
		name := date[:len("2006-01")]
		if len(months) == 0 || months[len(months)-1].name != name {
			months = append(months, month{name: name})
		}
		last := &months[len(months)-1]
		last.dates = append(last.dates, date)
	}
	return months
}

// stored is an object in the folder of a day.
type stored struct {
	key  string
	size int64
	date string
	// file holds what follows objectPrefix in key. A position names the object by it. It is empty
	// if the operator did not write the object: no position names those, and they come before the
	// others of the day, so a page that begins at another object has passed them.
	file string
}

// list calls visit for each object with a prefix.
func (s *Store) list(ctx context.Context, options *blob.ListOptions, visit func(*blob.ListObject)) error {
	objects := s.bucket.List(options)
	for {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", options.Prefix, explain(err))
		}
		visit(object)
	}
}

// dates returns the days that have objects of the namespace, or of another one with its name.
func (s *Store) dates(ctx context.Context, q *Query) ([]string, error) {
	prefix := namespacePrefix(q.ClusterUID, q.Namespace)
	var dates []string
	err := s.list(ctx, &blob.ListOptions{Prefix: prefix, Delimiter: "/"}, func(o *blob.ListObject) {
		if date, ok := dateIn(strings.TrimPrefix(o.Key, prefix)); ok && o.IsDir && q.includes(date) {
			dates = append(dates, date)
		}
	})
	return dates, err
}

// objects returns the objects of the namespace in a month, newest day first. Of those that the
// operator did not write, it returns only as many of each day as a page reports.
func (s *Store) objects(ctx context.Context, q *Query, m month) ([]stored, error) {
	prefix := namespacePrefix(q.ClusterUID, q.Namespace)
	var objects []stored
	foreign := map[string]int{}
	err := s.list(ctx, &blob.ListOptions{Prefix: prefix + "date=" + m.name + "-"}, func(o *blob.ListObject) {
		folder, name, _ := strings.Cut(strings.TrimPrefix(o.Key, prefix), "/")
		date, ok := dateIn(folder + "/")
		if !ok || !slices.Contains(m.dates, date) {
			return
		}
		file, ours := strings.CutPrefix(o.Key, objectPrefix(q.ClusterUID, part{q.Namespace, q.NamespaceUID, date}))
		switch {
		case ours && objectFile.MatchString(file):
			objects = append(objects, stored{o.Key, o.Size, date, file})
		case isForeign(name) && foreign[date] < s.limits.skipped:
			foreign[date]++
			objects = append(objects, stored{key: o.Key, date: date})
		}
	})
	slices.SortFunc(objects, func(a, b stored) int {
		return cmp.Or(cmp.Compare(b.date, a.date), cmp.Compare(a.file, b.file))
	})
	return objects, err
}
