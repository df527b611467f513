// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/test/harness"
)

// zone is 14 hours ahead of UTC: midnight in UTC is in the middle of its day.
const zone = "Pacific/Kiritimati"

func TestDaysAndTimesAreOfUTC(t *testing.T) {
	local, err := time.LoadLocation(zone)
	if err != nil {
		t.Skip("the operator would not know the time zone either: ", err)
	}
	ns, dir := cluster.Namespace(t), t.TempDir()
	cluster.OperatorEnv = []string{"TZ=" + zone}
	t.Cleanup(func() { cluster.OperatorEnv = nil })
	operate(t, "file://"+dir, "--archive-resolved-after=1s")

	midnight := time.Now().Add(-24 * time.Hour).UTC().Truncate(24 * time.Hour)
	create := func(name string, at time.Time) {
		t.Helper()
		je := harness.JobError(ns, name, "job")
		je.Spec.CreatedAt, je.Spec.Resolved = at.In(local).Format(time.RFC3339), name != "expired"
		harness.Create(t, cluster.Client, je)
	}
	// The webhook refuses an error that has already expired.
	expires := time.Now().Add(10 * time.Second).Truncate(time.Second)
	create("expired", expires.Add(-7*24*time.Hour))
	create("before", midnight.Add(-time.Second))
	create("after", midnight.Add(time.Second))
	waitGone(t, ns)

	for name, day := range map[string]time.Time{"before": midnight.Add(-time.Second), "after": midnight} {
		folder := filepath.Join(dir, "cluster="+clusterUID(t), "namespace="+ns, "date="+day.Format(time.DateOnly))
		if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
			t.Errorf("the day of %s has %v, want one file: %v", name, files, err)
		}
	}
	for _, r := range archived(t, dir, ns) {
		if r.Name == "expired" && (!r.ExpiresAt.Equal(expires) || r.ArchivedAt.Before(expires)) {
			t.Errorf("it expired at %s and was archived at %s, want %s", r.ExpiresAt, r.ArchivedAt, expires)
		}
	}
	for query, want := range map[string][]string{
		"":                                       {"after", "before", "expired"},
		"since=" + timestamp(midnight):           {"after"},
		"until=" + timestamp(midnight):           {"before", "expired"},
		"since=" + timestamp(midnight.In(local)): {"after"},
		"until=" + timestamp(midnight.In(local)): {"before", "expired"},
		"since=" + timestamp(midnight.Add(-time.Second)) + "&until=" + timestamp(midnight.Add(time.Second)): {"before"},
	} {
		if got := find(t, ns, query); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", query, got, want)
		}
	}
}

// timestamp returns a time as the value of a parameter.
func timestamp(at time.Time) string { return url.QueryEscape(at.Format(time.RFC3339)) }

// find returns the names of the archived errors that a query finds through the API server.
func find(t *testing.T, ns, query string) []string {
	t.Helper()
	response := harness.Do(t, cluster.Config(), http.MethodGet, harness.JobErrorsPath(ns, "job")+"?archived=true&"+query, "").Want(t, http.StatusOK)
	var records []resolvev1.ArchivedRecord
	if err := json.Unmarshal(response.Body, &records); err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(records))
	for i := range records {
		names[i] = records[i].ID
	}
	return names
}
