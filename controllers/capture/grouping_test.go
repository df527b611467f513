// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

func podFailure(key, occurrence string) failure.Failure {
	return failure.Failure{Key: key, Occurrence: occurrence, At: now, PodLevel: true}
}

func disruption(code string) failure.Failure {
	f := podFailure("pod/"+code, "u")
	f.Code, f.Disruption = code, true
	return f
}

func sightingsOf(failures ...failure.Failure) []sighting {
	var sightings []sighting
	for _, f := range failures {
		sightings = append(sightings, sighting{Failure: f, firstSeen: now})
	}
	return sightings
}

// firstName returns the names that nobody has taken.
func firstName(job *batchv1.Job) func(failure.Failure) (string, error) {
	return func(f failure.Failure) (string, error) { return failure.ErrorName(job.Name, job.UID, f.Key), nil }
}

func TestGroupByError(t *testing.T) {
	t.Parallel()
	job := backupJob()
	name := func(key string) string { return failure.ErrorName(job.Name, job.UID, key) }
	jobLevel := failure.Failure{Key: failure.JobKey("DeadlineExceeded"), Occurrence: "1", At: now}
	for title, tc := range map[string]struct {
		failures []failure.Failure
		known    []string
		limit    int
		// want lists the sizes of the groups by the key of their errors.
		want map[string]int
	}{
		"each failure has an error":           {[]failure.Failure{podFailure("a", "1"), podFailure("b", "1")}, nil, 2, map[string]int{"a": 1, "b": 1}},
		"occurrences share an error":          {[]failure.Failure{podFailure("a", "1"), podFailure("a", "2")}, nil, 1, map[string]int{"a": 2}},
		"failures over the limit are counted": {[]failure.Failure{podFailure("a", "1"), podFailure("b", "1"), podFailure("c", "1")}, nil, 1, map[string]int{"a": 1, "overflow": 2}},
		"existing errors count":               {[]failure.Failure{podFailure("a", "1")}, []string{"x"}, 1, map[string]int{"overflow": 1}},
		"an existing error is added to":       {[]failure.Failure{podFailure("a", "1")}, []string{"a"}, 1, map[string]int{"a": 1}},
		"the Job's own failure has no limit":  {[]failure.Failure{podFailure("a", "1"), jobLevel}, nil, 1, map[string]int{"a": 1, jobLevel.Key: 1}},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			known := sets.New[string]()
			for _, key := range tc.known {
				known.Insert(name(key))
			}
			groups, repeated, err := groupByError(sightingsOf(tc.failures...), nil, known, tc.limit, firstName(job))
			if err != nil {
				t.Fatal(err)
			}
			if len(groups) != len(tc.want) || len(repeated) > 0 {
				t.Fatalf("%d groups and %d repeated, want %v", len(groups), len(repeated), tc.want)
			}
			for key, size := range tc.want {
				i := slices.IndexFunc(groups, func(g *group) bool { return g.name == name(key) })
				if i < 0 || len(groups[i].members) != size || groups[i].overflow != (key == "overflow") {
					t.Errorf("%s: the groups are %s", key, fmt.Sprint(groups))
				}
			}
		})
	}
}

// A pod may wait for a node before it is evicted: both are failures.
func TestDisruptionIsRecordedOnce(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{"DeletionByTaintManager": 1, "Unschedulable": 0} {
		recorded := []joberrorv1.JobError{*disruption(code).JobError(backupJob(), "x")}
		groups, repeated, err := groupByError(sightingsOf(disruption("Evicted")), recorded, sets.New[string](), 100, firstName(backupJob()))
		if err != nil {
			t.Fatal(err)
		}
		if len(repeated) != want || len(groups) != 1-want {
			t.Errorf("after %s, %d are repeated and %d recorded", code, len(repeated), len(groups))
		}
	}
}

func TestCreatedErrors(t *testing.T) {
	t.Parallel()
	job := backupJob()
	created := newCreatedErrors()
	created.add(job.UID, "new")
	cached := *podFailure("a", "1").JobError(job, "x")
	cached.Labels[joberrorv1.LabelJobUID] = string(job.UID)
	jobLevel, another, foreign := *cached.DeepCopy(), *cached.DeepCopy(), *cached.DeepCopy()
	jobLevel.Spec.Code = "DeadlineExceeded"
	jobLevel.Name = failure.NumberedName(failure.ErrorName(job.Name, job.UID, failure.JobKey(jobLevel.Spec.Code)), 2)
	another.Name, another.Labels[joberrorv1.LabelJobUID] = "another", "b"
	foreign.Name = "foreign"
	delete(foreign.Labels, joberrorv1.LabelCaptured)
	got := created.podLevel(job, capturedFrom(job, []joberrorv1.JobError{cached, jobLevel, another, foreign}))
	if want := sets.New("new", cached.Name); !got.Equal(want) {
		t.Errorf("podLevel = %v, want %v", sets.List(got), sets.List(want))
	}
	if created.of(job.UID).Len() != 1 {
		t.Error("the cached errors are remembered as created")
	}
}

// A failure that is past its retention does not take a fresh one with it.
func TestDropExpiredKeepsFreshMembers(t *testing.T) {
	t.Parallel()
	old, fresh := podFailure("exit", "1"), podFailure("exit", "2")
	old.At = now.AddDate(0, 0, -31)
	r := newReconciler(now, old)
	r.pending.add(backup, "a", []failure.Failure{fresh}, now)
	g := &group{}
	for _, s := range r.pending.of(backup)["a"] {
		g.members = append(g.members, member{seen: s, as: s.Failure})
	}
	r.dropExpired(subject{Job: backupJob()}, g)
	if len(g.members) != 1 || g.members[0].as.Occurrence != "2" || len(r.pending.of(backup)["a"]) != 1 {
		t.Errorf("left are %+v", g.members)
	}
}
