// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"slices"
	"testing"
)

func TestTheNameFollowsTheVersions(t *testing.T) {
	t.Parallel()
	p := part{"team", teamUID, "2026-11-20"}
	versions := func() []Entry {
		return []Entry{entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "load", "2026-11-20T00:00:00Z")}
	}
	name := objectName(cluster, p, versions())
	// The name is pinned, since a version of the operator with other names would write everything
	// that waits a second time.
	if want := "cluster=6f4dfa36-8a53-4b4c-9a7b-3f1f6f0d0000/namespace=team/date=2026-11-20/part-0c3d3b1a-0000-4000-8000-000000000001-25dc20d4ed9327968adf2e25.parquet"; name != want {
		t.Errorf("objectName = %s, want %s", name, want)
	}
	swapped := versions()
	slices.Reverse(swapped)
	if other := objectName(cluster, p, swapped); other != name {
		t.Errorf("the name depends on the order: %s", other)
	}
	for what, change := range map[string]func([]Entry) []Entry{
		"a UID":             func(e []Entry) []Entry { e[0].Error.UID = "other"; return e },
		"a resourceVersion": func(e []Entry) []Entry { e[1].Error.ResourceVersion = "8"; return e },
		"a _retryId":        func(e []Entry) []Entry { e[1].Error.Status.RetryID = "2026-11-26T00:00:00.000000Z"; return e },
		"a missing entry":   func(e []Entry) []Entry { return e[:1] },
	} {
		if other := objectName(cluster, p, change(versions())); other == name {
			t.Errorf("%s does not change the name", what)
		}
	}
}

func TestOnlyFoldersOfADayAreRead(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]bool{
		"date=2026-11-20/": true, "date=2024-02-29/": true, "date=2026-02-29/": false, "date=2026-11-20": false,
		"date=2026-11-20/x/": false, "date=20261120/": false, "date=../": false, "x/": false, "": false,
	} {
		if date, ok := dateIn(folder); ok != want || ok && "date="+date+"/" != folder {
			t.Errorf("dateIn(%q) = %q, %t", folder, date, ok)
		}
	}
}
