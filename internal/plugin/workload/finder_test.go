// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// reader serves metadata from a map of kind/name. A nil object is forbidden.
type reader struct {
	objects     map[string]*metav1.ObjectMeta
	gets, lists int
	fails       error
}

func (r *reader) Get(_ context.Context, key types.NamespacedName, obj client.Object, _ ...client.GetOption) error {
	r.gets++
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	found, ok := r.objects[kind+"/"+key.Name]
	switch {
	case r.fails != nil:
		return r.fails
	case !ok:
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	case found == nil:
		return apierrors.NewForbidden(schema.GroupResource{}, key.Name, nil)
	}
	obj.(*metav1.PartialObjectMetadata).ObjectMeta = *found
	return nil
}

func (r *reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	r.lists++
	jobs := list.(*metav1.PartialObjectMetadataList)
	jobs.Items = nil
	for name, o := range r.objects {
		if o != nil && name[:4] == "Job/" {
			jobs.Items = append(jobs.Items, metav1.PartialObjectMetadata{ObjectMeta: *o})
		}
	}
	return r.fails
}

func owned(name, ownerKind, owner string) *metav1.ObjectMeta {
	m := &metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID("uid-" + name)}
	if owner != "" {
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: ownerKind, Name: owner, UID: types.UID("uid-" + owner), Controller: ptr.To(true)}}
	}
	return m
}

func TestOf(t *testing.T) {
	t.Parallel()
	released := owned("job", "", "")
	released.Annotations = map[string]string{annotationRelease: "shop"}
	other := owned("train", "", "")
	other.UID = "another"
	objects := func(o ...any) map[string]*metav1.ObjectMeta {
		m := map[string]*metav1.ObjectMeta{}
		for i := 0; i < len(o); i += 2 {
			m[o[i].(string)], _ = o[i+1].(*metav1.ObjectMeta)
		}
		return m
	}
	for name, tc := range map[string]struct {
		objects map[string]*metav1.ObjectMeta
		job     Job
		want    string
	}{
		"a Job without an owner":    {objects("Job/job", owned("job", "", "")), Job{}, "job/job"},
		"a Job that is gone":        {nil, Job{UID: "uid-job"}, "job/job"},
		"a Job out of reach":        {objects("Job/job", nil), Job{}, "job/job"},
		"the error has the CronJob": {nil, Job{CronJob: "nightly"}, "cronjob/nightly"},
		"the Job has a CronJob":     {objects("Job/job", owned("job", "CronJob", "nightly")), Job{}, "cronjob/nightly"},
		"a CronJob of an operator":  {objects("Job/job", owned("job", "CronJob", "nightly"), "CronJob/nightly", owned("nightly", "Backup", "db")), Job{}, "cronjob/nightly"},
		"two levels":                {objects("Job/job", owned("job", "JobSet", "set"), "JobSet/set", owned("set", "TrainJob", "train"), "TrainJob/train", owned("train", "", "")), Job{}, "trainjob/train"},
		"the owner is out of reach": {objects("Job/job", owned("job", "JobSet", "set"), "JobSet/set", nil), Job{}, "jobset/set"},
		"the owner is gone":         {objects("Job/job", owned("job", "JobSet", "set")), Job{}, "jobset/set"},
		"the owner was replaced":    {objects("Job/job", owned("job", "TrainJob", "train"), "TrainJob/train", other), Job{}, "trainjob/train"},
		"five levels": {objects("Job/job", owned("job", "A", "a"), "A/a", owned("a", "B", "b"), "B/b", owned("b", "C", "c"), "C/c", owned("c", "D", "d"),
			"D/d", owned("d", "E", "e")), Job{}, "d/d"},
		"a Helm release":               {objects("Job/job", released), Job{}, "helm/shop"},
		"another Job has the name now": {objects("Job/job", owned("job", "JobSet", "set")), Job{UID: "before"}, "job/job"},
		"a retry of a known Job":       {objects("Job/job", owned("job", "", "")), Job{Root: "uid-first"}, "job/first"},
		"a retry of an unknown Job":    {objects("Job/job", owned("job", "", "")), Job{Root: "uid-lost"}, "job/job"},
		"a namespace":                  {nil, Job{Name: joberrorv1.NamespaceJobID}, "namespace/team"},
	} {
		job := tc.job
		job.Namespace = "team"
		if job.Name == "" {
			job.Name = "job"
		}
		f := NewFinder(&reader{objects: tc.objects})
		if err := f.Read(t.Context(), []Job{job, {Namespace: "team", Name: "first", UID: "uid-first"}}); err != nil {
			t.Errorf("%s: Read: %v", name, err)
		}
		for range 2 {
			if got, err := f.Of(t.Context(), job); err != nil || got.String() != tc.want {
				t.Errorf("%s: Of = %s, %v; want %s", name, got, err, tc.want)
			}
		}
	}
}

// The API of an owner is often what is broken.
func TestAnOwnerThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := &reader{objects: map[string]*metav1.ObjectMeta{"Job/job": owned("job", "JobSet", "set")}}
	f := NewFinder(r)
	job := Job{Namespace: "team", Name: "job"}
	if err := f.Read(t.Context(), []Job{job}); err != nil {
		t.Fatal(err)
	}
	r.fails = apierrors.NewInternalError(errors.New("the conversion webhook is down"))
	if got, err := f.Of(t.Context(), job); err != nil || got.String() != "jobset/set" {
		t.Errorf("Of = %s, %v; want the owner of the Job", got, err)
	}
	if err := f.Unread(); err == nil || !strings.Contains(err.Error(), "read JobSet set: ") {
		t.Errorf("Unread = %v", err)
	}
}

func TestReadListsManyJobs(t *testing.T) {
	t.Parallel()
	r := &reader{objects: map[string]*metav1.ObjectMeta{}}
	var jobs []Job
	for i := range maxGets + 1 {
		name := fmt.Sprintf("job-%d", i)
		r.objects["Job/"+name] = owned(name, "JobSet", "set")
		jobs = append(jobs, Job{Namespace: "team", Name: name})
	}
	f := NewFinder(r)
	if err := f.Read(t.Context(), jobs); err != nil || r.gets != 0 || r.lists != 1 {
		t.Errorf("Read made %d gets and %d lists, %v; want one list", r.gets, r.lists, err)
	}
	for _, job := range jobs {
		if got, err := f.Of(t.Context(), job); err != nil || got.String() != "jobset/set" {
			t.Errorf("Of(%s) = %s, %v", job.Name, got, err)
		}
	}
	if r.gets != 1 {
		t.Errorf("Of read the owner %d times, want once", r.gets)
	}
}

func TestFinderReturnsOtherErrors(t *testing.T) {
	t.Parallel()
	f := NewFinder(&reader{fails: errors.New("connection refused")})
	if err := f.Read(t.Context(), []Job{{Namespace: "team", Name: "job"}}); err == nil {
		t.Error("Read dropped an error of the connection")
	}
}
