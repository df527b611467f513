// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// shelf puts errors straight into etcd: a hundred thousand of them take the API
// server longer than anything that is measured with them.
type seeder struct {
	*bench
	etcd *clientv3.Client
	// template is an error as the API server stores it, with its status; name
	// and uid are its own.
	template  []byte
	name, uid string
	namespace string
	size      int
}

// stored is where the API server keeps JobErrors.
const etcdPrefix = "/registry/joberror.io/joberrors/"

// newShelf takes one reported error for its template, stops the operator, and
// leaves no error there.
func (b *bench) newSeeder(ctx context.Context) (*seeder, error) {
	if err := b.ensureOperator(ctx); err != nil {
		return nil, err
	}
	ns, _, err := b.namespace(ctx, "held", "nightly")
	if err != nil {
		return nil, err
	}
	if err := b.reportAndWait(ctx, ns.Name, "nightly", 1); err != nil {
		return nil, err
	}
	je := jobError(ns.Name, "nightly", 0)
	if err := b.admin.Get(ctx, client.ObjectKeyFromObject(je), je); err != nil {
		return nil, err
	}
	if err := b.stopOperator(); err != nil {
		return nil, err
	}
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + b.Etcd()}})
	if err != nil {
		return nil, err
	}
	s := &seeder{bench: b, etcd: etcd, name: je.Name, uid: string(je.UID), namespace: ns.Name}
	if err := s.takeTemplate(ctx); err != nil {
		return nil, errors.Join(err, etcd.Close())
	}
	return s, nil
}

func (s *seeder) takeTemplate(ctx context.Context) error {
	found, err := s.etcd.Get(ctx, s.key(s.name))
	if err != nil {
		return err
	}
	if len(found.Kvs) != 1 {
		return fmt.Errorf("etcd has no %s", s.key(s.name))
	}
	s.template = found.Kvs[0].Value
	_, err = s.etcd.Delete(ctx, etcdPrefix, clientv3.WithPrefix())
	return err
}

// fill sees to it that there are n errors.
func (s *seeder) fill(ctx context.Context, n int) error {
	logf("putting errors %d to %d into etcd", s.size+1, n)
	_, err := s.forEach(ctx, n-s.size, func(ctx context.Context, i int) error {
		name := jobError("", "nightly", s.size+i).Name
		value := bytes.ReplaceAll(s.template, []byte(s.name), []byte(name))
		value = bytes.ReplaceAll(value, []byte(s.uid), []byte(uuid.NewUUID()))
		_, err := s.etcd.Put(ctx, s.key(name), string(value))
		return err
	})
	if err != nil {
		return err
	}
	s.size = n
	return s.waitServed(ctx)
}

// noticed waits until the API server has heard from etcd of the last one, or
// that none is left.
func (s *seeder) waitServed(ctx context.Context) error {
	for {
		var list joberrorv1.JobErrorList
		selector := client.MatchingFields{}
		if s.size > 0 {
			selector["metadata.name"] = jobError("", "nightly", s.size-1).Name
		}
		fromCache := &client.ListOptions{Limit: 1, Raw: &metav1.ListOptions{ResourceVersion: "0"}}
		if err := s.admin.List(ctx, &list, fromCache, selector); err != nil {
			return err
		}
		if (len(list.Items) > 0) == (s.size > 0) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(maxPoll):
		}
	}
}

func (s *seeder) key(name string) string { return etcdPrefix + s.namespace + "/" + name }

func (s *seeder) close() {
	// Nothing is written any more that could be lost.
	_ = s.etcd.Close()
}
