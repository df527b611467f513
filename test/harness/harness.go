// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package harness runs the end-to-end tests on a real control plane with the operator.
// Each package of tests gets a control plane of its own.
package harness

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/hack/controlplane"
)

func init() {
	// Without a logger, controller-runtime prints a warning.
	log.SetLogger(klog.Background())
	utilruntime.Must(apiregistrationv1.AddToScheme(clientgoscheme.Scheme))
	utilruntime.Must(joberrorv1.AddToScheme(clientgoscheme.Scheme))
	utilruntime.Must(resolvev1.AddToScheme(clientgoscheme.Scheme))
}

// Cluster is a control plane with the means to run operators.
type Cluster struct {
	*controlplane.Plane
	// Client is a client with all rights.
	Client client.Client
	// Ports holds the ports that the operator serves on.
	Ports controlplane.OperatorPorts
	// Root is the root directory of the repository.
	Root string
	// Bare starts the control plane only: nothing is installed, and no operator is built.
	Bare bool
	// Installed installs the operator as its users do, from dist/install.yaml. Its pods run
	// as their service account.
	Installed bool
	// Image builds the operator as the Dockerfile does, and isolates its pods as a container
	// runtime would if this machine allows it.
	Image bool
	// Isolated reports whether the pods are isolated. The harness sets it.
	Isolated bool
	// Version is the version that the operator states. It is empty if the tests need none.
	Version string
	// CheckUnusedRights fails the run if the operator has a right that it did not use. The
	// check needs all tests, so -run disables it.
	CheckUnusedRights bool
	// Flags holds the flags of an operator that runs outside the cluster during all tests. If
	// it is nil and the operator is not installed, the tests start operators themselves. An
	// installed operator has these flags in addition to its manifest's.
	Flags []string
	// FastControllers raises the request limit of the control plane's controllers.
	FastControllers bool
	// Node starts a real node instead of kwok. The operator is installed on it, with Flags
	// added to its manifest's flags.
	Node func(context.Context, *controlplane.Plane) ([]*controlplane.Process, error)
	// Dir is the directory of the control plane and its logs. Its owner removes it. If it is
	// empty, the harness uses a temporary directory.
	Dir string
	// AllowLogErrors accepts reconciler errors and denied requests in the operator's log. Set
	// it if the tests break the control plane or remove the operator's rights.
	AllowLogErrors bool

	// Pods holds the operator's pods if Installed is set.
	Pods *controlplane.Pods

	binary    string
	operators []*controlplane.Process
	// plugin builds the plugin once, into pluginDir.
	plugin    sync.Once
	pluginDir string
	pluginErr error
}

// Main starts a cluster, runs the package's tests and stops the cluster. It returns the
// exit status.
func Main(m *testing.M, cluster *Cluster) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir, err := cluster.Dir, error(nil)
	if dir == "" {
		dir, err = os.MkdirTemp("", "joberror-test-")
	}
	if err == nil {
		err = cluster.start(ctx, dir)
	}
	code := 1
	if err == nil {
		code = m.Run()
	}
	if code == 0 && cluster.CheckUnusedRights && flag.Lookup("test.run").Value.String() == "" {
		err = cluster.UnusedRights(ctx)
	}
	err = errors.Join(err, cluster.stop())
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		code = 1
	}
	if cluster.Dir != "" {
		// Containers still run in the directory, so its owner removes it.
		return code
	}
	if code != 0 {
		fmt.Fprintln(os.Stderr, "harness: the logs are in", dir)
		return code
	}
	if err := controlplane.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		return 1
	}
	return 0
}

// Root returns the root directory of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

func (c *Cluster) start(ctx context.Context, dir string) error {
	c.Root = Root()
	if !c.Bare {
		if err := c.build(ctx, dir); err != nil {
			return err
		}
	}
	var err error
	if c.Ports, err = controlplane.PickPorts(); err != nil {
		return err
	}
	c.Plane, err = controlplane.Start(ctx, controlplane.Options{
		Assets: c.assets(), Dir: dir, Audit: true, FastControllers: c.FastControllers, Node: c.Node, Logf: func(string, ...any) {},
	})
	if err != nil {
		return err
	}
	if c.Client, err = client.New(c.Config(), client.Options{}); err != nil {
		return err
	}
	switch {
	case c.Bare:
		return nil
	case c.Node != nil:
		return c.installOnNode(ctx)
	case c.Installed:
		return c.install(ctx)
	}
	kustomization, err := c.Kustomization()
	if err != nil {
		return err
	}
	err = c.Install(ctx, kustomization, c.Ports)
	if err == nil && c.Flags != nil {
		_, err = c.Operate(ctx, "operator", c.Flags...)
	}
	return err
}

// build builds the operator. It uses the race detector if the tests do, except for an image
// and a real node.
func (c *Cluster) build(ctx context.Context, dir string) error {
	c.binary = filepath.Join(dir, "operator")
	switch {
	case c.Node != nil:
		return c.BuildFor(ctx, runtime.GOARCH, c.binary)
	case c.Image:
		return c.buildImage(ctx)
	}
	build := exec.CommandContext(ctx, "go", slices.Concat([]string{"build"}, raceFlag,
		[]string{"-ldflags", "-X github.com/prometheus/common/version.Version=" + c.Version, "-o", c.binary, "."})...)
	build.Dir = c.Root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the operator: %w\n%s", err, out)
	}
	return nil
}

// Binary returns the path of the operator's binary.
func (c *Cluster) Binary() string { return c.binary }

// install runs the operator's pods, installs the operator, and waits until it serves.
func (c *Cluster) install(ctx context.Context) (err error) {
	if c.Pods, err = c.RunPods(c.binary, c.Isolated, c.Ports, c.Flags...); err != nil {
		return err
	}
	return c.Reinstall(ctx)
}

// Reinstall applies the manifests in dist again, and waits until the operator serves.
func (c *Cluster) Reinstall(ctx context.Context) error {
	manifests, err := c.Manifests()
	if err != nil {
		return err
	}
	if err := c.InstallFile(ctx, manifests, c.Ports); err != nil {
		return err
	}
	return c.WaitInstalled(ctx)
}

// WaitInstalled waits until the installed operator serves.
func (c *Cluster) WaitInstalled(ctx context.Context) error {
	for _, wait := range [][]string{
		{"rollout", "status", "deployment/joberror-operator", "-n", "joberror-system", "--timeout=120s"},
		{"wait", "apiservice/v1.resolve.joberror.io", "--for=condition=Available", "--timeout=120s"},
	} {
		if _, err := c.Run(ctx, nil, wait...); err != nil {
			return err
		}
	}
	return c.WaitAccepted(ctx)
}

// Operate starts an operator and waits until it serves.
func (c *Cluster) Operate(ctx context.Context, name string, args ...string) (*controlplane.Process, error) {
	process, err := c.StartOperator(ctx, name, c.binary, c.Ports, args...)
	if err == nil {
		c.operators = append(c.operators, process)
	}
	return process, err
}

// Launch starts an operator on these ports and does not wait until it serves.
func (c *Cluster) Launch(name string, ports controlplane.OperatorPorts, args ...string) (*controlplane.Process, error) {
	process, err := c.LaunchOperator(name, c.binary, ports, args...)
	if err == nil {
		c.operators = append(c.operators, process)
	}
	return process, err
}

// Kubectl runs kubectl as the administrator and returns its output.
func (c *Cluster) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := c.Run(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// WaitEstablished waits until the API server serves the kinds of CRDs.
func (c *Cluster) WaitEstablished(t testing.TB, definitions ...string) {
	t.Helper()
	if err := c.Plane.WaitEstablished(t.Context(), definitions...); err != nil {
		t.Fatal(err)
	}
}

// User returns a configuration that authenticates as a user with a certificate. The user
// has only the rights bound to that name.
func (c *Cluster) User(t testing.TB, name string) *rest.Config {
	t.Helper()
	// Parallel tests may name the same user.
	dir := t.TempDir()
	file := fmt.Sprintf("%s-%s-%s.kubeconfig", filepath.Base(filepath.Dir(dir)), filepath.Base(dir), name)
	_, config, err := c.KubeconfigFor(file, name)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// ClientFor returns a client that authenticates as a user.
func (c *Cluster) ClientFor(t testing.TB, name string) client.Client {
	t.Helper()
	user, err := client.New(c.User(t, name), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// Key returns the key of an object.
func Key(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}
