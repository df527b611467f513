// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestANameIsTheFailures(t *testing.T) {
	t.Parallel()
	f := Failure{Key: "exit/main/ExitCode:1", Occurrence: "a"}
	name := f.Name("job", "1")
	again := Failure{Key: f.Key, Occurrence: "b", Message: "another one"}
	if got := again.Name("job", "1"); got != name {
		t.Errorf("the same failure is %s, and %s when it happens again", name, got)
	}
	for what, other := range map[string]string{
		"another failure":                 Failure{Key: "exit/main/ExitCode:2"}.Name("job", "1"),
		"a later Job of the same name":    f.Name("job", "2"),
		"a Job whose name is longer":      f.Name(strings.Repeat("j", 63), "3"),
		"a Job whose name ends in a dash": f.Name(strings.Repeat("j", 51)+"-"+strings.Repeat("k", 10), "4"),
	} {
		if other == name {
			t.Errorf("%s has the same name, %s", what, name)
		}
		if problems := validation.IsDNS1123Subdomain(other); len(problems) > 0 || len(other) > 63 {
			t.Errorf("%s: %q is no name: %v", what, other, problems)
		}
	}
}

func TestASpecHoldsWhatTheSchemaTakes(t *testing.T) {
	t.Parallel()
	long := "\xff" + strings.Repeat("ä", 40000)
	spec := Failure{Code: long, Source: long, Message: long, At: start.Time}.Spec("job", long)
	for field, value := range map[string]struct {
		text  string
		limit int
	}{"code": {spec.Code, 256}, "source": {spec.Source, 512}, "message": {spec.Message, 32768}, "_userId": {spec.UserID, 512}} {
		if !utf8.ValidString(value.text) || utf8.RuneCountInString(value.text) > value.limit || !strings.HasSuffix(value.text, "…") {
			t.Errorf("%s has %d characters, at most %d, and no mark at its end", field, utf8.RuneCountInString(value.text), value.limit)
		}
	}
	if spec.CreatedAt != "2026-11-05T10:15:00Z" || spec.JobID != "job" {
		t.Errorf("spec is %+v", spec)
	}
}

func TestNoOccurrenceIsCountedTwice(t *testing.T) {
	t.Parallel()
	at := func(n int) Failure {
		return Failure{Occurrence: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}
	}
	var counted *joberrorv1.Captured
	for n := range 3 {
		counted = at(n).Count(counted)
	}
	if counted.Occurrences != 3 || !counted.FirstSeen.Time.Equal(at(0).At) || !counted.LastSeen.Time.Equal(at(2).At) {
		t.Errorf("counted %+v", counted)
	}
	for n := range 3 {
		if again := at(n).Count(counted); again != nil {
			t.Errorf("occurrence %d was counted twice: %+v", n, again)
		}
	}
	if late := at(-1).Count(counted); late.Occurrences != 4 || !late.FirstSeen.Time.Equal(at(-1).At) || !late.LastSeen.Time.Equal(at(2).At) {
		t.Errorf("one that is seen late makes %+v", late)
	}
}

// A thousand pods may fail in one second.
func TestManyOccurrencesInOneSecondAreAllCounted(t *testing.T) {
	t.Parallel()
	var counted *joberrorv1.Captured
	for n := range 10 * maxSeen {
		counted = Failure{Occurrence: fmt.Sprint(n), At: start.Time}.Count(counted)
	}
	if counted.Occurrences != 10*maxSeen {
		t.Errorf("%d occurrences were counted, want %d", counted.Occurrences, 10*maxSeen)
	}
}

func TestOnlyTheLatestOccurrencesAreRemembered(t *testing.T) {
	t.Parallel()
	var counted *joberrorv1.Captured
	for n := range 3 * maxSeen {
		counted = Failure{Occurrence: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}.Count(counted)
	}
	if counted.Occurrences != 3*maxSeen || len(counted.Seen) != maxSeen {
		t.Errorf("%d occurrences, %d remembered", counted.Occurrences, len(counted.Seen))
	}
	for n := range 3 * maxSeen {
		again := Failure{Occurrence: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}.Count(counted)
		if again != nil {
			t.Fatalf("occurrence %d was counted twice", n)
		}
	}
	for _, mark := range counted.Seen {
		if len(mark) > 24 {
			t.Errorf("%q is longer than the schema takes", mark)
		}
	}
}
