// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// listFactor is how many records are listed at most for each that is wanted. To list a record
// costs about a tenth of what it costs to read it alone.
const listFactor = 10

// readLists reads the records of those namespaces whose list costs less than reading them one by
// one. It returns the records that it has not found.
func (a *Archiver) readLists(ctx context.Context, items []Item, all *records) ([]Item, error) {
	wanted := map[string]sets.Set[types.UID]{}
	for _, item := range items {
		if wanted[item.Key.Namespace] == nil {
			wanted[item.Key.Namespace] = sets.Set[types.UID]{}
		}
		wanted[item.Key.Namespace].Insert(item.UID)
	}
	for _, namespace := range slices.Sorted(maps.Keys(wanted)) {
		if len(wanted[namespace])*listFactor < readSize {
			continue
		}
		if err := a.readList(ctx, namespace, wanted[namespace], all); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(items, func(item Item) bool { return !wanted[item.Key.Namespace].Has(item.UID) }), nil
}

// readList lists a namespace page by page and removes the records that it finds from the wanted
// ones. It ends after the first page if the namespace has too many other records.
func (a *Archiver) readList(ctx context.Context, namespace string, wanted sets.Set[types.UID], all *records) error {
	most := int64(len(wanted) * listFactor)
	next := ""
	for len(wanted) > 0 && !all.full() {
		var page joberrorv1.JobErrorList
		err := a.APIReader.List(ctx, &page, client.InNamespace(namespace), client.Limit(readSize), client.Continue(next))
		if err != nil {
			return fmt.Errorf("list JobErrors of %s: %w", namespace, err)
		}
		for i := range page.Items {
			if !wanted.Has(page.Items[i].UID) {
				continue
			}
			// A pointer into the page would keep all of it in memory.
			je := page.Items[i]
			entry, err := a.entryOf(ctx, &je)
			if err != nil {
				return err
			}
			wanted.Delete(je.UID)
			all.add(je.UID, entry)
		}
		if next = page.Continue; next == "" || ptr.Deref(page.RemainingItemCount, math.MaxInt64) > most {
			break
		}
	}
	return nil
}
