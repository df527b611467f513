//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package node checks the operator on a real node: with a kubelet and containers
// that run. It needs root and "make node-assets". "make test-node" runs it.
package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/hack/node"
	"joberror.io/operator/test/harness"
)

var cluster harness.Cluster

func TestMain(m *testing.M) {
	// Containers that start together starve the API server, and a leader that can't renew
	// its lease gives way to the next one.
	harness.Timeout = 3 * time.Minute
	os.Exit(node.Main(func(dir string) int {
		if err := configure(dir); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			return 1
		}
		return harness.Main(m, &cluster)
	}))
}

// configure prepares a node whose images are those that the samples name, and
// the operator's.
func configure(dir string) error {
	assets, err := filepath.Abs(filepath.Join("..", "..", "bin", "assets"))
	if err != nil {
		return err
	}
	machine, err := node.New(assets, dir)
	if err != nil {
		return err
	}
	cluster.Dir = dir
	cluster.Flags = []string{"--capture-grace=5s"}
	cluster.Node = func(ctx context.Context, plane *controlplane.Plane) ([]*controlplane.Process, error) {
		if err := machine.Images.AddPrograms(); err != nil {
			return nil, err
		}
		if err := machine.Images.AddOperator("joberror-operator", cluster.Binary()); err != nil {
			return nil, err
		}
		return machine.Start(ctx, plane)
	}
	return nil
}
