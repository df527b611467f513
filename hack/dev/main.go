// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command dev runs a control plane and the operator, loads the samples and runs
// until it is interrupted. "make run" starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/hack/dev/shortlived"
)

// "make run" uses fixed ports, so that the commands it prints work for every run.
const (
	apiPort  = 16443
	etcdPort = 12379
)

var operatorPorts = controlplane.OperatorPorts{APIPort: 16444, WebhookPort: 19443, HealthPort: 18081}

func main() {
	assets := flag.String("assets", "bin/assets", "directory of the control plane's binaries")
	operator := flag.String("operator", "bin/operator", "path of the operator's binary")
	samples := flag.Int("samples", 0, "number of errors to add to the samples, in several namespaces and of the last 30 days")
	archived := flag.Bool("archive", false, "let the operator keep an archive, and create errors that expire after a minute")
	dir := flag.String("dir", ".dev", "directory for keys, logs, data and the kubeconfig")
	flag.Parse()
	if *samples < 0 {
		fmt.Fprintf(os.Stderr, "make run: SAMPLES must be 0 or more, not %d\n", *samples)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, *assets, *operator, *dir, *samples, *archived)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, assets, operator, dir string, samples int, archived bool) error {
	for _, path := range []*string{&assets, &operator, &dir} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	for _, port := range []int{operatorPorts.APIPort, operatorPorts.WebhookPort, operatorPorts.HealthPort} {
		if _, err := controlplane.FreePort(port); err != nil {
			return fmt.Errorf("operator: %w", err)
		}
	}
	var archive *devArchive
	if archived {
		var err error
		if archive, err = newArchive(dir); err != nil {
			return err
		}
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Assets: assets, Dir: dir, APIPort: apiPort, EtcdPort: etcdPort, Logf: logf})
	if err != nil {
		return ignoreInterrupt(ctx, err)
	}
	err = runOperator(ctx, plane, operator, samples, archive)
	logf("stopping")
	return errors.Join(ignoreInterrupt(ctx, err), plane.Stop())
}

// ignoreInterrupt drops errors that occurred because of Ctrl-C.
func ignoreInterrupt(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // this is what the function is for
	}
	return err
}

// runOperator installs and starts the operator, loads the samples, and waits. The archive may
// be nil.
func runOperator(ctx context.Context, plane *controlplane.Plane, binary string, samples int, archive *devArchive) (err error) {
	logf("installing CRDs, roles, policies, webhooks and the APIService")
	if err := plane.Install(ctx, "config/default", operatorPorts); err != nil {
		return err
	}
	var flags []string
	if archive != nil {
		flags = shortlived.Flags(archive.dir)
	}
	operator, err := plane.StartOperator(ctx, "operator", binary, operatorPorts, flags...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, operator.Stop()) }()
	logf("loading the samples")
	if _, err := plane.Run(ctx, nil, "apply", "-k", "config/samples"); err != nil {
		return err
	}
	if samples > 0 {
		if err := seedSamples(ctx, plane, samples); err != nil {
			return err
		}
	}
	if archive != nil {
		if err := archive.load(ctx, plane); err != nil {
			return err
		}
	}
	fmt.Print(strings.ReplaceAll(welcome, "KUBECONFIG_PATH", plane.Kubeconfig))
	if archive != nil {
		fmt.Print(archive.welcome())
	}
	return watch(ctx, append(plane.Processes(), operator))
}

// watch waits until one of the processes or the context ends.
func watch(ctx context.Context, processes []*controlplane.Process) error {
	ended := make(chan error, len(processes))
	for _, process := range processes {
		go func() {
			<-process.Done()
			ended <- process.Err()
		}()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func logf(format string, args ...any) { fmt.Printf("==> "+format+"\n", args...) }

const welcome = `
The operator is running. In another terminal, from this directory:

  export KUBECONFIG=KUBECONFIG_PATH
  export PATH=$PWD/bin:$PWD/bin/assets:$PATH

  kubectl joberrors                       # what is broken now
  kubectl joberrors show nightly-import   # what happened to one Job
  kubectl joberrors ui                    # the same in your browser

The plugin is bin/kubectl-joberrors. Plain kubectl works too:

  kubectl get joberrors
  kubectl patch je nightly-import-row-17 --type=merge -p '{"spec":{"resolved":true}}'

See the README for more. Ctrl-C stops everything.
`
