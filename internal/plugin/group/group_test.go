// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/workload"
)

var day = time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)

func item(namespace, name, work, job, code, class string, hour int) Item {
	return Item{
		Name: name, Job: workload.Job{Namespace: namespace, Name: job}, Workload: workload.Workload{Namespace: namespace, Kind: "cronjob", Name: work},
		Code: code, Class: class, Occurrences: 2, First: day.Add(time.Duration(hour-1) * time.Hour), Last: day.Add(time.Duration(hour) * time.Hour),
	}
}

func TestBy(t *testing.T) {
	t.Parallel()
	items := []Item{
		item("a", "1", "w1", "w1-1", "OOM", "resources", 5),
		item("a", "2", "w1", "w1-2", "OOM", "resources", 3),
		item("a", "3", "w1", "w1-2", "Exit", "application", 9),
		item("a", "4", "w2", "w2-1", "OOM", "resources", 7),
		item("b", "5", "w1", "w1-1", "OOM", "resources", 1),
		item("a", "6", "w3", "w3-1", "", "", 2),
	}
	items[1].Resolved = true
	for by, want := range map[string][]string{
		"workload,code": {"a 3 cronjob/w1 w1-2 Exit application 1/0 2 8h", "a 4 cronjob/w2 w2-1 OOM resources 1/0 2 6h", "a 1 cronjob/w1 2 jobs OOM resources 2/1 4 2h",
			"a 6 cronjob/w3 w3-1 - - 1/0 2 1h", "b 5 cronjob/w1 w1-1 OOM resources 1/0 2 0h"},
		"class": {"a 3 cronjob/w1 w1-2 Exit application 1/0 2 8h", "a 4 2 workloads 3 jobs OOM resources 3/1 6 2h", "a 6 cronjob/w3 w3-1 - - 1/0 2 1h", "b 5 cronjob/w1 w1-1 OOM resources 1/0 2 0h"},
		"workload": {"a 3 cronjob/w1 2 jobs 2 codes 2 classes 3/1 6 2h", "a 4 cronjob/w2 w2-1 OOM resources 1/0 2 6h", "a 6 cronjob/w3 w3-1 - - 1/0 2 1h",
			"b 5 cronjob/w1 w1-1 OOM resources 1/0 2 0h"},
	} {
		dimensions, err := Parse(strings.Split(by, ","))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range By(dimensions, items) {
			got = append(got, fmt.Sprintf("%s %s %s %s %s %s %d/%d %d %dh", g.Newest.Job.Namespace, g.Newest.Name, g.Value(Workload), g.Value(Job), g.Value(Code), g.Value(Class),
				g.Errors, g.Resolved, g.Occurrences, g.First.Sub(day)/time.Hour))
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %s:\n%s\nwant\n%s", by, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if got := By([]Dimension{None}, items); len(got) != len(items) || got[0].Newest.Name != "3" {
		t.Errorf("by none: %d groups, the first is of %s; want %d, 3", len(got), got[0].Newest.Name, len(items))
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, names := range []string{"", "pod", "none,code", "code,none", "code,code"} {
		if got, err := Parse(strings.Split(names, ",")); err == nil || !strings.HasPrefix(err.Error(), "--group-by: ") {
			t.Errorf("Parse(%q) = %v, %v; want an error that names the flag", names, got, err)
		}
	}
}

func TestItemOf(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e", Labels: map[string]string{joberrorv1.LabelClass: "data"}},
		Spec:       joberrorv1.JobErrorSpec{JobID: "load", Code: "x", CreatedAt: "2026-11-05T01:00:00Z", Message: "\n first\tline \nsecond"},
	}
	got := ItemOf(je)
	if got.Message != "first line" || got.Occurrences != 1 || !got.First.Equal(day.Add(time.Hour)) || !got.Last.Equal(got.First) || got.Class != "data" || got.Job.Name != "load" {
		t.Errorf("ItemOf = %+v", got)
	}
	je.Status.Occurrences = 7
	je.Status.FirstSeen, je.Status.LastSeen = &metav1.Time{Time: day}, &metav1.Time{Time: day.Add(9 * time.Hour)}
	if got := ItemOf(je); got.Occurrences != 7 || !got.First.Equal(day) || !got.Last.Equal(day.Add(9*time.Hour)) {
		t.Errorf("ItemOf with a status = %+v", got)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text  string
		width int
		want  string
	}{{"größer", 6, "größer"}, {"größer", 5, "größ…"}, {"größer", 1, "…"}, {"größer", 0, "größer"}} {
		if got := Cut(tc.text, tc.width); got != tc.want {
			t.Errorf("Cut(%s, %d) = %s, want %s", tc.text, tc.width, got, tc.want)
		}
	}
}
