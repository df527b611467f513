// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
	"joberror.io/operator/test/soak/ledger"
)

const (
	resolvePatch = `{"spec":{"resolved":true}}`
	reopenPatch  = `{"spec":{"resolved":false}}`
)

// change is a request about errors of one Job.
type change struct {
	namespace, job string
	resolved       bool
	// names holds the errors.
	names []string
	// object is the name of an object that nothing else uses.
	object string
}

// verb returns the last element of an endpoint's path.
func (c change) verb() string {
	if c.resolved {
		return "resolve"
	}
	return "unresolve"
}

func (c change) path() string { return harness.JobErrorsPath(c.namespace, c.job) }

// ways holds all ways to resolve or reopen errors.
var ways = []struct {
	name string
	// all is true if the change applies to all errors of the Job.
	all bool
	do  func(context.Context, *soak, change) error
}{
	{"put-all", true, putAll},
	{"put-named", false, putNamed},
	{"put-each", false, putEach},
	{"patch", false, patchEach},
	{"object", false, createResolution},
}

func putAll(ctx context.Context, s *soak, c change) error {
	_, err := s.request(ctx, http.MethodPut, c.path()+"/"+c.verb(), "")
	return err
}

func putNamed(ctx context.Context, s *soak, c change) error {
	body, err := json.Marshal(map[string]any{"errors": c.names, "reason": "soak"})
	if err == nil {
		_, err = s.request(ctx, http.MethodPut, c.path()+"/"+c.verb(), string(body))
	}
	return err
}

func putEach(ctx context.Context, s *soak, c change) error {
	for _, name := range c.names {
		if _, err := s.request(ctx, http.MethodPut, c.path()+"/"+name+"/"+c.verb(), ""); err != nil {
			return err
		}
	}
	return nil
}

func patchEach(ctx context.Context, s *soak, c change) error {
	body := reopenPatch
	if c.resolved {
		body = resolvePatch
	}
	for _, name := range c.names {
		if err := s.patch(ctx, harness.JobError(c.namespace, name, c.job), body); err != nil {
			return err
		}
	}
	return nil
}

func createResolution(ctx context.Context, s *soak, c change) error {
	jer := harness.Resolution(c.namespace, c.object, c.job, c.names...)
	jer.Spec.Resolved = ptr.To(c.resolved)
	return s.create(ctx, jer)
}

// flip resolves or reopens some errors of a Job in one or more ways at the same time, and
// waits until all requests have been carried out.
func (a *actor) flip(ctx context.Context, namespace, job string, resolved bool) error {
	var list []joberrorv1.JobError
	err := until(ctx, "list the errors of Job "+job, func(ctx context.Context) (err error) {
		list, err = a.errorsOf(ctx, namespace, job)
		return err
	})
	if err != nil {
		return err
	}
	var changed []ledger.Error
	group, requests := errgroup.WithContext(ctx)
	for i, way := range some(a, ways) {
		chosen := list
		if !way.all {
			chosen = some(a, list)
		}
		a.flips++
		c := change{namespace: namespace, job: job, resolved: resolved, object: a.object(fmt.Sprintf("-%d-%d", a.flips, i))}
		for i := range chosen {
			c.names = append(c.names, chosen[i].Name)
			changed = append(changed, errorOf(&chosen[i]))
		}
		group.Go(func() error { return way.do(requests, a.soak, c) })
		a.tally.add(c.verb()+" by "+way.name, len(chosen))
	}
	if err := group.Wait(); err != nil {
		return err
	}
	a.ledger.SetResolved(resolved, changed...)
	return a.awaitResolutions(ctx, namespace, job)
}

// resolveAndReopen creates errors of a Job that has not run, and resolves and reopens them
// several times.
func resolveAndReopen(ctx context.Context, a *actor) error {
	job := harness.Job(a.namespace(), a.object(""))
	if err := a.create(ctx, job); err != nil {
		return err
	}
	for i := range a.between(2, 30) {
		je := harness.JobError(job.Namespace, fmt.Sprintf("%s-error-%d", job.Name, i), job.Name)
		je.Spec.Code = fmt.Sprintf("code-%d", i)
		if err := a.create(ctx, je); err != nil {
			return err
		}
		a.ledger.Happened(errorOf(je), 0)
		a.tally.add("created", 1)
	}
	for i := range a.between(1, 4) {
		if err := a.flip(ctx, job.Namespace, job.Name, i%2 == 0); err != nil {
			return err
		}
		if err := pause(ctx, maxPause/4); err != nil {
			return err
		}
	}
	if a.maybe() {
		return a.deleteJob(ctx, job)
	}
	return nil
}
