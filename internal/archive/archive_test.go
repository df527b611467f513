// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	joberrorv1 "joberror.io/operator/api/v1"
)

const (
	cluster = types.UID("6f4dfa36-8a53-4b4c-9a7b-3f1f6f0d0000")
	teamUID = types.UID("0c3d3b1a-0000-4000-8000-000000000001")
)

// now is the time of the clock in these tests.
var now = time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)

// testStore returns a store in a directory of the test.
func testStore(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	s.clock = clocktesting.NewFakePassiveClock(now)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

// entry returns a JobError of a Job that happened at a time.
func entry(n int, job, createdAt string) Entry {
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: fmt.Sprintf("%s-%d", job, n), UID: types.UID(fmt.Sprintf("uid-%s-%d", job, n)), ResourceVersion: "7",
			Labels:        map[string]string{joberrorv1.LabelClass: joberrorv1.ClassData},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
		Spec: joberrorv1.JobErrorSpec{JobID: job, CreatedAt: createdAt, UserID: "jane", Code: "422", Message: "no such customer", Extracted: "42", Resolved: true},
		Status: joberrorv1.JobErrorStatus{
			RetryID: "2026-11-25T10:00:00.000001Z", Occurrences: 3, Job: &joberrorv1.JobReference{Name: job, UID: types.UID("job-" + job)},
			ResolvedAt: &metav1.Time{Time: now.Add(-time.Hour)}, ResolvedBy: "jane",
		},
	}
	return Entry{je, teamUID}
}

func write(t *testing.T, s *Store, entries ...Entry) {
	t.Helper()
	written, err := s.Write(t.Context(), cluster, entries)
	if err != nil || len(written) != len(entries) {
		t.Fatalf("wrote %d of %d entries: %v", len(written), len(entries), err)
	}
}

// query selects a Job's errors.
func query(job string) Query {
	return Query{ClusterUID: cluster, Namespace: "team", NamespaceUID: teamUID, Job: job, Limit: 1000}
}

// findAll reads all pages of a query.
func findAll(t *testing.T, s *Store, q Query) (records []Record, pages int, skipped []Problem) {
	t.Helper()
	for {
		page, err := s.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		records = append(records, page.Records...)
		skipped = append(skipped, page.Skipped...)
		if q.Continue = page.Continue; q.Continue == "" {
			return records, pages, skipped
		}
		if pages > 1000 {
			t.Fatal("the pages do not end")
		}
	}
}

func namesOf(records []Record) []string {
	var names []string
	for i := range records {
		names = append(names, records[i].Name)
	}
	return names
}

func TestNothingOfARecordIsLost(t *testing.T) {
	t.Parallel()
	s, dir := testStore(t)
	e := entry(1, "load", "2026-11-25T23:30:00.123456789+02:00")
	e.Error.Annotations = map[string]string{"team": "data"}
	write(t, s, e)
	records, _, _ := findAll(t, s, query("load"))
	if len(records) != 1 {
		t.Fatalf("found %d records, want 1", len(records))
	}
	r := records[0]
	if !r.CreatedAt.Equal(time.Date(2026, time.November, 25, 21, 30, 0, 123e6, time.UTC)) || !r.ArchivedAt.Equal(now) || r.FirstSeen != nil ||
		!r.ResolvedAt.Equal(now.Add(-time.Hour)) || r.JobName != "load" || r.JobUID != "job-load" || r.WorkloadKind != "Job" || r.Extracted != "42" || !r.Resolved || r.Occurrences != 3 {
		t.Errorf("the record is %+v", r)
	}
	stored := &joberrorv1.JobError{}
	if err := json.Unmarshal([]byte(r.Object), stored); err != nil {
		t.Fatal(err)
	}
	if stored.Kind != "JobError" || stored.ManagedFields != nil || stored.Spec != e.Error.Spec || stored.Annotations["team"] != "data" || stored.Status.RetryID != e.Error.Status.RetryID {
		t.Errorf("the object is %+v", stored)
	}
	files, err := filepath.Glob(filepath.Join(dir, "cluster=*", "namespace=team", "date=2026-11-25", "*"))
	if err != nil || len(files) != 1 || !strings.HasSuffix(files[0], ".parquet") {
		t.Errorf("the directory of the day has %v, want one file: %v", files, err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	unlinked := entry(1, "alone", "2026-11-20T00:00:00Z")
	unlinked.Error.Status.Job = nil
	other := entry(9, "load", "2026-11-24T00:00:00Z")
	other.NamespaceUID = "an-earlier-namespace"
	write(t, s, entry(1, "load", "2026-11-23T23:59:59.999Z"), entry(2, "load", "2026-11-24T00:00:00Z"), entry(3, "load", "2026-11-24T23:59:59Z"),
		entry(4, "other", "2026-11-24T01:00:00Z"), unlinked, other)
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for name, tc := range map[string]struct {
		change func(*Query)
		want   []string
	}{
		"by name, newest first":   {func(*Query) {}, []string{"load-3", "load-2", "load-1"}},
		"by UID":                  {func(q *Query) { q.Job = "job-load" }, []string{"load-3", "load-2", "load-1"}},
		"never linked":            {func(q *Query) { q.Job = "alone" }, []string{"alone-1"}},
		"an unknown Job":          {func(q *Query) { q.Job = "nothing" }, nil},
		"since midnight":          {func(q *Query) { q.Since = at("2026-11-24T00:00:00Z") }, []string{"load-3", "load-2"}},
		"until midnight":          {func(q *Query) { q.Until = at("2026-11-24T00:00:00Z") }, []string{"load-1"}},
		"since, in another zone":  {func(q *Query) { q.Since = at("2026-11-24T01:59:59+02:00") }, []string{"load-3", "load-2", "load-1"}},
		"another namespace":       {func(q *Query) { q.Namespace = "other" }, nil},
		"the earlier namespace":   {func(q *Query) { q.NamespaceUID = "an-earlier-namespace" }, []string{"load-9"}},
		"a later namespace":       {func(q *Query) { q.NamespaceUID = "a-later-namespace" }, nil},
		"another cluster":         {func(q *Query) { q.ClusterUID = "other" }, nil},
		"a name with a path":      {func(q *Query) { q.Namespace = "team/../team" }, nil},
		"an empty UID of the Job": {func(q *Query) { q.Job = "" }, nil},
	} {
		q := query("load")
		tc.change(&q)
		records, _, skipped := findAll(t, s, q)
		if got := namesOf(records); !slices.Equal(got, tc.want) || len(skipped) > 0 {
			t.Errorf("%s: found %v, skipped %v, want %v", name, got, skipped, tc.want)
		}
	}
}

func TestPagesHoldEachRecordOnce(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	for day := range 3 {
		for object := range 4 {
			var entries []Entry
			for n := range 5 {
				entries = append(entries, entry(100*day+10*object+n, "load", fmt.Sprintf("2026-11-2%dT0%d:0%d:00Z", day, object, n)))
			}
			write(t, s, append(entries, entry(100*day+10*object, "other", fmt.Sprintf("2026-11-2%dT00:00:00Z", day)))...)
		}
	}
	for name, change := range map[string]func(*Store, *Query){
		"one page":                       func(*Store, *Query) {},
		"pages of 7 records":             func(_ *Store, q *Query) { q.Limit = 7 },
		"pages of 1 record":              func(_ *Store, q *Query) { q.Limit = 1 },
		"pages of 3 objects":             func(s *Store, _ *Query) { s.limits.objects = 3 },
		"pages of few bytes":             func(s *Store, _ *Query) { s.limits.bytes = 20_000 },
		"pages without time":             func(s *Store, _ *Query) { s.limits.time = 0 },
		"pages of few records in memory": func(s *Store, _ *Query) { s.limits.records = 5000 },
		"pages without bytes":            func(s *Store, _ *Query) { s.limits.bytes = 8000 },
	} {
		limited, q := *s, query("load")
		change(&limited, &q)
		records, pages, skipped := findAll(t, &limited, q)
		names := namesOf(records)
		slices.Sort(names)
		if len(slices.Compact(names)) != 60 || len(records) != 60 || len(skipped) > 0 {
			t.Errorf("%s: found %d records in %d pages, skipped %v; want 60", name, len(records), pages, skipped)
		}
		if pages == 1 != (name == "one page") {
			t.Errorf("%s: read %d pages", name, pages)
		}
	}
}

// An earlier namespace may have left years of objects, which all have to be listed.
func TestAPageListsForAWhileOnly(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	for month := 1; month <= 9; month++ {
		old := entry(month, "load", fmt.Sprintf("2026-%02d-01T00:00:00Z", month))
		old.NamespaceUID = "an-earlier-namespace"
		write(t, s, old)
	}
	write(t, s, entry(100, "load", "2026-01-01T00:00:00Z"))
	s.limits.time = 0
	records, pages, skipped := findAll(t, s, query("load"))
	if got := namesOf(records); !slices.Equal(got, []string{"load-100"}) || pages != 9 || len(skipped) > 0 {
		t.Errorf("found %v in %d pages, skipped %v; want load-100 in 9", got, pages, skipped)
	}
}

func TestThroughIsTheLastDay(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	write(t, s, entry(1, "load", "2026-11-21T00:00:00Z"), entry(2, "other", "2026-09-03T00:00:00Z"))
	page, err := s.Find(t.Context(), query("load"))
	if err != nil || page.Through.Format(time.DateOnly) != "2026-09-03" || page.Objects != 2 || page.BytesRead == 0 {
		t.Errorf("the page is %+v: %v", page, err)
	}
}

func TestARepeatedWriteLeavesNoDuplicates(t *testing.T) {
	t.Parallel()
	s, dir := testStore(t)
	first, second := entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "load", "2026-11-20T00:00:01Z")
	write(t, s, first, second)
	write(t, s, second, first)
	if files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*")); err != nil || len(files) != 1 {
		t.Errorf("the same batch is in %v, want one object: %v", files, err)
	}
	write(t, s, first)
	if records, _, _ := findAll(t, s, query("load")); len(records) != 2 {
		t.Errorf("found %v, want each record once", namesOf(records))
	}
	changed := entry(1, "load", "2026-11-20T00:00:00Z")
	changed.Error.Status.RetryID = "2026-11-26T00:00:00.000000Z"
	write(t, s, changed)
	if records, _, _ := findAll(t, s, query("load")); len(records) != 3 {
		t.Errorf("found %v, want both versions of the changed record", namesOf(records))
	}
}

// Only the status changed between the two writes, so the record is in two objects.
func TestTheLatestWriteOfARecordIsFound(t *testing.T) {
	t.Parallel()
	// Objects are read in the order of their names, which contain hashes. In one of these two cases,
	// the object that was written later is read first.
	for _, versions := range [][2]string{{"7", "8"}, {"8", "7"}} {
		s, _ := testStore(t)
		for i, resolvedBy := range []string{"jane", "ada"} {
			e := entry(1, "load", "2026-11-20T00:00:00Z")
			e.Error.ResourceVersion, e.Error.Status.ResolvedBy = versions[i], resolvedBy
			s.clock = clocktesting.NewFakePassiveClock(now.Add(time.Duration(i) * time.Millisecond))
			write(t, s, e)
		}
		page, err := s.Find(t.Context(), query("load"))
		if err != nil || page.Objects != 2 || len(page.Records) != 1 || page.Records[0].ResolvedBy != "ada" {
			t.Errorf("versions %v: the page is %+v, want the record that ada resolved: %v", versions, page, err)
		}
	}
}

func TestDamagedAndForeignObjectsAreSkipped(t *testing.T) {
	t.Parallel()
	s, dir := testStore(t)
	write(t, s, entry(1, "load", "2026-11-20T00:00:00Z"))
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files = %v: %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	put := func(n int, data []byte) {
		t.Helper()
		name := filepath.Join(filepath.Dir(files[0]), fmt.Sprintf("part-%s-%024x.parquet", teamUID, n))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damaged := slices.Clone(whole)
	for i := 4; i < len(damaged)/2; i++ {
		damaged[i] ^= 0x5a
	}
	huge := slices.Clone(whole)
	copy(huge[len(huge)-8:], []byte{0xff, 0xff, 0xff, 0x7f})
	for n, data := range [][]byte{nil, []byte("PAR1"), []byte("not a Parquet file at all"), whole[:len(whole)/2], damaged, huge} {
		put(n, data)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(files[0]), "README.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	records, _, skipped := findAll(t, s, query("load"))
	if got := namesOf(records); !slices.Equal(got, []string{"load-1"}) || len(skipped) != 7 {
		t.Errorf("found %v and skipped %v, want load-1 and 7 objects", got, skipped)
	}
	for _, p := range skipped {
		if !strings.Contains(p.Object, "date=2026-11-20/") || p.Err == nil {
			t.Errorf("skipped %v", p)
		}
	}
}

// putFile puts a file that the operator did not write into the folder of a day.
func putFile(t *testing.T, dir, date, name string) {
	t.Helper()
	path := filepath.Join(dir, datePrefix(cluster, "team", date), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestForeignObjectsAreReportedOnce(t *testing.T) {
	t.Parallel()
	s, dir := testStore(t)
	for n := range 3 {
		write(t, s, entry(n, "load", "2026-11-20T00:00:00Z"))
		write(t, s, entry(10+n, "load", "2026-11-22T00:00:00Z"))
	}
	earlier := entry(100, "load", "2026-11-20T00:00:00Z")
	earlier.NamespaceUID = "an-earlier-namespace"
	write(t, s, earlier)
	var want []string
	// 2026-11-21 and October have nothing else.
	for date, names := range map[string][]string{
		"2026-10-31": {"notes"}, "2026-11-20": {"README.txt", "part-00000-c000.snappy.parquet", "zz"}, "2026-11-21": {"copy/of/a.parquet"},
		"2026-11-22": {"part-" + string(teamUID) + "-1.parquet"},
	} {
		for _, name := range names {
			putFile(t, dir, date, name)
			want = append(want, datePrefix(cluster, "team", date)+name)
		}
	}
	// A write on a disk is under way, or was interrupted.
	putFile(t, dir, "2026-11-20", "part-"+string(teamUID)+"-"+strings.Repeat("a", 24)+".parquet.18a2b3.tmp")
	putFile(t, dir, "2026-11-20", "part-an-earlier-namespace-"+strings.Repeat("a", 24)+".parquet.18a2b3.tmp")
	slices.Sort(want)
	for name, change := range map[string]func(*Store, *Query){
		"one page":           func(*Store, *Query) {},
		"pages of 1 record":  func(_ *Store, q *Query) { q.Limit = 1 },
		"pages of 1 object":  func(s *Store, _ *Query) { s.limits.objects = 1 },
		"pages without time": func(s *Store, _ *Query) { s.limits.time = 0 },
	} {
		limited, q := *s, query("load")
		change(&limited, &q)
		records, pages, skipped := findAll(t, &limited, q)
		var got []string
		for _, p := range skipped {
			if !errors.Is(p.Err, errForeign) {
				t.Errorf("%s: skipped %v, want the reason %v", name, p, errForeign)
			}
			got = append(got, p.Object)
		}
		slices.Sort(got)
		if len(records) != 6 || !slices.Equal(got, want) {
			t.Errorf("%s: found %d records in %d pages, and skipped\n%v; want 6, and\n%v", name, len(records), pages, got, want)
		}
	}
}

func TestManyForeignObjectsDoNotHoldUpAPage(t *testing.T) {
	t.Parallel()
	s, dir := testStore(t)
	write(t, s, entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "load", "2026-11-21T00:00:00Z"))
	for n := range 300 {
		putFile(t, dir, "2026-11-20", fmt.Sprintf("file-%d", n))
		putFile(t, dir, "2026-11-21", fmt.Sprintf("file-%d", n))
	}
	page, err := s.Find(t.Context(), query("load"))
	if err != nil || len(page.Records) != 2 || len(page.Skipped) != s.limits.skipped || page.Objects != 2 || page.Continue != "" {
		t.Errorf("the page has %d records, skips %d and reads %d objects, and continues at %q: %v; want 2, %d, 2 and the end",
			len(page.Records), len(page.Skipped), page.Objects, page.Continue, err, s.limits.skipped)
	}
	s.limits.time = 0
	if records, pages, _ := findAll(t, s, query("load")); len(records) != 2 || pages != 2 {
		t.Errorf("found %d records in %d pages, want 2 in 2", len(records), pages)
	}
}

func TestOpenRefusesAURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"bucket":                                  "must begin with s3:// or file://",
		"gs://bucket":                             "must begin with s3:// or file://",
		"s3://":                                   "must name a bucket",
		"s3://bucket/folder":                      "?prefix=FOLDER/",
		"s3://key:secret@bucket":                  "must have no user and password",
		"s3://bucket?secret_access_key=x":         `must not have the parameter "secret_access_key"`,
		"s3://bucket?prefix=folder":               "must end with a slash",
		"s3://bucket?prefix=/folder/":             "must end with a slash, and not begin with one",
		"file://host/dir":                         "must name a directory by its absolute path",
		"file:///":                                "must name a directory by its absolute path",
		"file:///dir?metadata=":                   `must not have the parameter "metadata"`,
		"s3://bucket?region=%zz":                  "%zz",
		"s3://key:topsecret@bucket\x7f":           "must be a URL",
		"s3://bucket?endpoint=a&use_path_style=1": "",
		"s3://bucket?prefix=a/b/":                 "",
	} {
		err := Validate(url)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want == "" || url == "s3://bucket?region=%zz":
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, want %q", url, err, want)
		case strings.Contains(err.Error(), "topsecret"):
			t.Errorf("%s: the error repeats the secret: %v", url, err)
		}
	}
	if _, err := Open(t.Context(), "file://"+filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a directory that does not exist was opened")
	}
}

func TestWhatCanNotBeWrittenIsNotReported(t *testing.T) {
	t.Parallel()
	s, dir := testStore(t)
	// A file is in the way of the folder of one day.
	if err := os.MkdirAll(filepath.Join(dir, namespacePrefix(cluster, "team")), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.TrimSuffix(datePrefix(cluster, "team", "2026-11-21"), "/")), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	written, err := s.Write(t.Context(), cluster, []Entry{entry(1, "load", "2026-11-20T00:00:00Z"), entry(2, "load", "2026-11-21T00:00:00Z"), entry(3, "load", "2026-11-22T00:00:00Z")})
	var names []string
	for _, e := range written {
		names = append(names, e.Error.Name)
	}
	if err == nil || !slices.Equal(names, []string{"load-1", "load-3"}) {
		t.Errorf("wrote %v: %v; want an error, and load-1 and load-3", names, err)
	}
	if Reason(err) != ReasonUnavailable {
		t.Errorf("Reason(%v) = %s", err, Reason(err))
	}
}
