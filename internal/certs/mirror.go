// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// mirror writes the Secret's certificate into files, which the servers watch.
// A mounted Secret would do the same, but a minute late, and in a cluster only.
type mirror struct {
	cache  cache.Cache
	secret types.NamespacedName
	folder string
}

// NeedLeaderElection tells the manager that every replica serves.
func (m *mirror) NeedLeaderElection() bool { return false }

// Start follows the Secret until the context ends.
func (m *mirror) Start(ctx context.Context) error {
	informer, err := m.cache.GetInformer(ctx, &corev1.Secret{})
	if err != nil {
		return err
	}
	write := func(obj any) {
		if secret, ok := obj.(*corev1.Secret); ok && secret.Name == m.secret.Name && secret.Namespace == m.secret.Namespace {
			if err := m.write(secret); err != nil {
				log.FromContext(ctx).Error(err, "The serving certificate could not be written", "folder", m.folder)
			}
		}
	}
	handle, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    write,
		UpdateFunc: func(_, obj any) { write(obj) },
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return informer.RemoveEventHandler(handle)
}

// write replaces the files where they differ; the key first, since the servers
// load the pair when either changes and keep the old one until it fits.
func (m *mirror) write(secret *corev1.Secret) error {
	for _, name := range []string{keyName, certName} {
		data := secret.Data[name]
		path := filepath.Join(m.folder, name)
		if len(data) == 0 {
			continue
		}
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
			continue
		}
		next := path + ".next"
		if err := os.WriteFile(next, data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(next, path); err != nil {
			return err
		}
	}
	return nil
}
