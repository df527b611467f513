// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package seed writes JobErrors directly to the etcd of a control plane. Through the API
// server, many thousands take minutes, and none can be older than now.
package seed

import (
	"context"
	"encoding/json"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	joberrorv1 "joberror.io/operator/api/v1"
)

// prefix is the prefix of the JobErrors' keys in etcd.
const prefix = "/registry/joberror.io/joberrors/"

// Store holds the JobErrors in etcd.
type Store struct{ etcd *clientv3.Client }

// Open connects to etcd at HOST:PORT.
func Open(address string) (*Store, error) {
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + address}})
	if err != nil {
		return nil, fmt.Errorf("connect to etcd: %w", err)
	}
	return &Store{etcd: etcd}, nil
}

// Get returns a JobError as it is stored.
func (s *Store) Get(ctx context.Context, namespace, name string) (string, error) {
	response, err := s.etcd.Get(ctx, key(namespace, name))
	if err != nil {
		return "", err
	}
	if len(response.Kvs) != 1 {
		return "", fmt.Errorf("etcd has no key %s", key(namespace, name))
	}
	return string(response.Kvs[0].Value), nil
}

// Put stores a JobError. The value must be as the API server writes it.
func (s *Store) Put(ctx context.Context, namespace, name, value string) error {
	_, err := s.etcd.Put(ctx, key(namespace, name), value)
	return err
}

// PutObject stores a JobError with its status.
func (s *Store) PutObject(ctx context.Context, je *joberrorv1.JobError) error {
	value, err := json.Marshal(je)
	if err != nil {
		return fmt.Errorf("encode JobError %s: %w", je.Name, err)
	}
	return s.Put(ctx, je.Namespace, je.Name, string(value))
}

// DeleteAll deletes all JobErrors.
func (s *Store) DeleteAll(ctx context.Context) error {
	_, err := s.etcd.Delete(ctx, prefix, clientv3.WithPrefix())
	return err
}

// Close closes the connection.
func (s *Store) Close() error { return s.etcd.Close() }

func key(namespace, name string) string { return prefix + namespace + "/" + name }
