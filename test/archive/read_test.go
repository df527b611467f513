// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/test/harness"
)

// accepting is a store that acknowledges all entries.
type accepting struct{}

func (accepting) Write(_ context.Context, _ types.UID, entries []archive.Entry) ([]archive.Entry, error) {
	return entries, nil
}

// counting counts how records are read.
type counting struct {
	client.Reader
	gets, lists atomic.Int64
}

func (c *counting) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	c.gets.Add(1)
	return c.Reader.Get(ctx, key, obj, opts...)
}

func (c *counting) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	c.lists.Add(1)
	return c.Reader.List(ctx, list, opts...)
}

func TestRecordsAreListedIfThatIsCheaper(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Eventually(t, func() string {
		if err := cluster.Client.Create(t.Context(), harness.JobError(ns, "e", "job"), client.DryRunAll); err != nil {
			return "JobErrors are not served yet: " + err.Error()
		}
		return ""
	})
	var all []*joberrorv1.JobError
	for n := range 250 {
		je := harness.JobError(ns, fmt.Sprintf("e-%03d", n), "job")
		harness.Create(t, cluster.Client, je)
		// No operator runs that completes the status.
		je.Status.ObservedGeneration = je.Generation
		if err := cluster.Client.Status().Update(t.Context(), je); err != nil {
			t.Fatal(err)
		}
		all = append(all, je)
	}
	t.Cleanup(func() {
		if err := cluster.Client.DeleteAllOf(context.WithoutCancel(t.Context()), &joberrorv1.JobError{}, client.InNamespace(ns)); err != nil {
			t.Error(err)
		}
	})
	gone := harness.JobError(ns, "gone", "job")
	gone.UID = "gone"
	for _, tc := range []struct {
		name        string
		wanted      []*joberrorv1.JobError
		lists, gets int64
	}{
		{"all", all, 3, 0},
		{"many, and one that is gone", append([]*joberrorv1.JobError{gone}, all[:100]...), 3, 1},
		{"many on the first page", all[:50], 1, 0},
		{"a few of many, two of them on the first page", append(all[98:100:100], all[200:210]...), 1, 10},
		{"too few for a page", all[:9], 0, 9},
	} {
		reader := &counting{Reader: cluster.Client}
		a := archiver.New(archiver.Options{Interval: time.Second}, accepting{})
		a.Cached, a.APIReader, a.Clock = cluster.Client, reader, clock.RealClock{}
		release := a.WriteNow(t.Context(), ns, tc.wanted, len(tc.wanted))
		written := map[types.UID]bool{}
		for _, je := range release.Written {
			written[je.UID] = true
		}
		for _, je := range tc.wanted {
			if written[je.UID] != (je != gone) {
				t.Errorf("%s: %s is written: %t", tc.name, je.Name, written[je.UID])
			}
		}
		if len(release.Written) != len(written) || release.Err != nil {
			t.Errorf("%s: wrote %d records %d times: %v", tc.name, len(written), len(release.Written), release.Err)
		}
		if lists, gets := reader.lists.Load(), reader.gets.Load(); lists != tc.lists || gets != tc.gets {
			t.Errorf("%s: %d lists and %d reads, want %d and %d", tc.name, lists, gets, tc.lists, tc.gets)
		}
	}
}
