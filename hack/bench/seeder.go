// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/hack/seed"
)

// seeder writes errors directly to etcd. Through the API server, a hundred thousand of
// them would take longer than any measurement.
type seeder struct {
	*bench
	store     *seed.Store
	namespace string
	ownJobs   bool
	// template holds the first error as the API server stores it, with its status. Each
	// other error has its own identity in place of first.
	template string
	first    identity
	size     int
}

// identity holds the names and UIDs of an error and its Job.
type identity struct {
	job, name   string
	jobUID, uid types.UID
}

// newSeeder creates one error as a template, stops the operator, and deletes all errors.
// Either all errors have the same Job, or each has a Job of its own, which was deleted, as
// the Jobs of a CronJob are.
func (b *bench) newSeeder(ctx context.Context, ownJobs bool) (*seeder, error) {
	if err := b.ensureOperator(ctx); err != nil {
		return nil, err
	}
	s := &seeder{bench: b, ownJobs: ownJobs}
	if err := s.createFirst(ctx); err != nil {
		return nil, err
	}
	if err := b.stopOperator(); err != nil {
		return nil, err
	}
	var err error
	if s.store, err = seed.Open(b.Etcd()); err != nil {
		return nil, err
	}
	if err := s.takeTemplate(ctx); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// createFirst creates the first error and its Job.
func (s *seeder) createFirst(ctx context.Context) error {
	ns, job, err := s.bench.namespace(ctx, "held", s.jobName(0))
	if err != nil {
		return err
	}
	s.namespace = ns.Name
	je := s.record(0)
	if err := s.post(ctx, je); err != nil {
		return err
	}
	if _, err := s.waitIdle(ctx, s.allMatch(ns.Name, job.Name, 1, linked)); err != nil {
		return err
	}
	if s.ownJobs {
		if err := s.admin.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
			return err
		}
		if _, err := s.waitIdle(ctx, s.allMatch(ns.Name, job.Name, 1, orphaned)); err != nil {
			return err
		}
	}
	err = s.admin.Get(ctx, client.ObjectKeyFromObject(je), je)
	s.first = identity{job: job.Name, name: je.Name, jobUID: job.UID, uid: je.UID}
	return err
}

func (s *seeder) takeTemplate(ctx context.Context) (err error) {
	if s.template, err = s.store.Get(ctx, s.namespace, s.first.name); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	return s.store.DeleteAll(ctx)
}

// fill adds errors until there are n.
func (s *seeder) fill(ctx context.Context, n int) error {
	logf("writing errors %d to %d to etcd", s.size+1, n)
	_, err := s.forEach(ctx, n-s.size, func(ctx context.Context, i int) error {
		id := s.identity(s.size + i)
		// The name of an error begins with that of its Job, and the first match wins.
		value := strings.NewReplacer(s.first.name, id.name, s.first.job, id.job,
			string(s.first.uid), string(id.uid), string(s.first.jobUID), string(id.jobUID)).Replace(s.template)
		return s.store.Put(ctx, s.namespace, id.name, value)
	})
	if err != nil {
		return err
	}
	s.size = n
	return s.waitServed(ctx)
}

// identity returns the names and UIDs of error i.
func (s *seeder) identity(i int) identity {
	id := identity{job: s.jobName(i), name: s.record(i).Name, jobUID: s.first.jobUID, uid: uuid.NewUUID()}
	if s.ownJobs {
		id.jobUID = uuid.NewUUID()
	}
	return id
}

func (s *seeder) record(i int) *joberrorv1.JobError { return jobError(s.namespace, s.jobName(i), i) }

func (s *seeder) jobName(i int) string {
	if s.ownJobs {
		return fmt.Sprintf("nightly-%06d", i)
	}
	return "nightly"
}

// waitServed waits until the API server's cache has the last error, or no error if
// there are none.
func (s *seeder) waitServed(ctx context.Context) error {
	for {
		var list joberrorv1.JobErrorList
		selector := client.MatchingFields{}
		if s.size > 0 {
			selector["metadata.name"] = s.record(s.size - 1).Name
		}
		fromCache := &client.ListOptions{Limit: 1, Raw: &metav1.ListOptions{ResourceVersion: "0"}}
		err := s.admin.List(ctx, &list, fromCache, selector)
		// A cache that is being filled refuses requests.
		if err != nil && !apierrors.IsTooManyRequests(err) {
			return err
		}
		if err == nil && (len(list.Items) > 0) == (s.size > 0) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(maxPoll):
		}
	}
}

func (s *seeder) close() {
	// All writes are done, so an error on close loses nothing.
	_ = s.store.Close()
}
