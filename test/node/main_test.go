//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package node tests the operator on a real node, with a kubelet and running containers.
// It needs root and "make node-assets". "make test-node" runs it.
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
	// Containers that start at the same time starve the API server. A leader that can't
	// renew its lease then loses it to the next one.
	harness.Timeout = 8 * time.Minute
	os.Exit(node.Main(func(dir string) int {
		if err := configure(dir); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			return 1
		}
		return harness.Main(m, &cluster)
	}))
}

// configure prepares a node with the operator's image and the images that the samples name.
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
