//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command up runs a control plane with a real node until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/hack/node"
)

func main() {
	assets := flag.String("assets", "bin/assets", "directory of the control plane's and the node's binaries")
	flag.Parse()
	os.Exit(node.Main(func(dir string) int {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		if err := run(ctx, *assets, dir); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "up:", err)
			return 1
		}
		return 0
	}))
}

func run(ctx context.Context, assets, dir string) (err error) {
	if assets, err = filepath.Abs(assets); err != nil {
		return err
	}
	machine, err := node.New(assets, dir)
	if err != nil {
		return err
	}
	logf("building the images")
	if err := machine.Images.AddPrograms(); err != nil {
		return err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Assets: assets, Dir: dir, Node: machine.Start, Logf: logf})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	fmt.Printf(`
The node is ready. In another terminal, as root:

  nsenter --target $(cat %s/pid) --net --mount --pid
  export KUBECONFIG=%s PATH=%s:$PATH
  kubectl get nodes

Ctrl-C stops everything.
`, dir, plane.Kubeconfig, assets)
	<-ctx.Done()
	logf("stopping")
	return nil
}

func logf(format string, args ...any) { fmt.Printf("==> "+format+"\n", args...) }
