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

// seeder writes errors directly to etcd. Through the API server, a hundred thousand of
// them would take longer than any measurement.
type seeder struct {
	*bench
	etcd *clientv3.Client
	// template is an error as the API server stores it, with its status. name and uid
	// are the values in it to replace.
	template  []byte
	name, uid string
	namespace string
	size      int
}

// etcdPrefix is the prefix of the JobErrors' keys in etcd.
const etcdPrefix = "/registry/joberror.io/joberrors/"

// newSeeder creates one error as a template, stops the operator, and deletes all
// errors.
func (b *bench) newSeeder(ctx context.Context) (*seeder, error) {
	if err := b.ensureOperator(ctx); err != nil {
		return nil, err
	}
	ns, _, err := b.namespace(ctx, "held", "nightly")
	if err != nil {
		return nil, err
	}
	je := jobError(ns.Name, "nightly", 0)
	if err := b.post(ctx, je); err != nil {
		return nil, err
	}
	if _, err := b.waitIdle(ctx, b.allMatch(ns.Name, "nightly", 1, linked)); err != nil {
		return nil, err
	}
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
	response, err := s.etcd.Get(ctx, s.key(s.name))
	if err != nil {
		return err
	}
	if len(response.Kvs) != 1 {
		return fmt.Errorf("read the template: etcd has no key %s", s.key(s.name))
	}
	s.template = response.Kvs[0].Value
	_, err = s.etcd.Delete(ctx, etcdPrefix, clientv3.WithPrefix())
	return err
}

// fill adds errors until there are n.
func (s *seeder) fill(ctx context.Context, n int) error {
	logf("writing errors %d to %d to etcd", s.size+1, n)
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

// waitServed waits until the API server's cache has the last error, or no error if
// there are none.
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
	// All writes are done, so an error on close loses nothing.
	_ = s.etcd.Close()
}
