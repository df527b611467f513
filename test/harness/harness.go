// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package harness gives the end-to-end tests a real control plane with the
// operator beside it: one for each package of tests.
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
	// controller-runtime warns where nobody tells it what to log with.
	log.SetLogger(klog.Background())
	utilruntime.Must(apiregistrationv1.AddToScheme(clientgoscheme.Scheme))
	utilruntime.Must(joberrorv1.AddToScheme(clientgoscheme.Scheme))
	utilruntime.Must(resolvev1.AddToScheme(clientgoscheme.Scheme))
}

// Cluster is a control plane with what is needed to run operators beside it.
type Cluster struct {
	*controlplane.Plane
	// Client has all rights.
	Client client.Client
	// Ports is where the operator serves.
	Ports controlplane.OperatorPorts
	// Root is the root of the repository.
	Root string
	// Bare says that nothing is installed, and no operator built.
	Bare bool
	// Installed says that the operator is installed as its users do it, from
	// dist/install.yaml: its pods run as their service account.
	Installed bool
	// Image says that the operator is the one that an image would hold, and its
	// pods are contained as there; Isolated tells whether they are.
	Image, Isolated bool
	// AllRights says that the tests make use of each right that the operator
	// has, and fails them where they don't.
	AllRights bool
	// Flags are those of an operator that runs beside all tests; none where nil.
	Flags []string
	// FastControllers lets the control plane's controllers do more at a time.
	FastControllers bool
	// Node starts a real node in kwok's place, with Dir as its folder. The
	// operator is installed there, with Flags beside its own.
	Node func(context.Context, *controlplane.Plane) ([]*controlplane.Process, error)
	Dir  string
	// AllowLogErrors says that parts of the control plane are killed, so that an
	// operator's complaints about it are no alarm.
	AllowLogErrors bool

	// Pods are the operator's, where it is installed.
	Pods *controlplane.Pods

	binary    string
	operators []*controlplane.Process
}

// Main starts a cluster, runs the package's tests and stops the cluster. It
// returns the exit status.
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
	if code == 0 && cluster.AllRights && flag.Lookup("test.run").Value.String() == "" {
		err = cluster.UnusedRights(ctx)
	}
	err = errors.Join(err, cluster.stop())
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		code = 1
	}
	if cluster.Dir != "" {
		// Containers still run there. Who gave the folder removes it.
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

func (c *Cluster) start(ctx context.Context, dir string) error {
	_, file, _, _ := runtime.Caller(0)
	c.Root = filepath.Join(filepath.Dir(file), "..", "..")
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
		Assets: filepath.Join(c.Root, "bin", "assets"), Dir: dir, Audit: true, FastControllers: c.FastControllers, Node: c.Node, Logf: func(string, ...any) {},
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
	err = c.Install(ctx, filepath.Join(c.Root, "config", "default"), c.Ports)
	if err == nil && c.Flags != nil {
		_, err = c.Operate(ctx, "operator", c.Flags...)
	}
	return err
}

// build builds the operator, as the tests are built: with the race detector
// where they have it.
func (c *Cluster) build(ctx context.Context, dir string) error {
	c.binary = filepath.Join(dir, "operator")
	switch {
	case c.Node != nil:
		return c.BuildFor(ctx, runtime.GOARCH, c.binary)
	case c.Image:
		return c.buildImage(ctx)
	}
	build := exec.CommandContext(ctx, "go", append(append([]string{"build"}, raceFlag...), "-o", c.binary, ".")...)
	build.Dir = c.Root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the operator: %w\n%s", err, out)
	}
	return nil
}

// Binary is the operator that was built.
func (c *Cluster) Binary() string { return c.binary }

// install installs the operator, and waits until it serves.
func (c *Cluster) install(ctx context.Context) (err error) {
	if c.Pods, err = c.RunPods(c.binary, c.Isolated, c.Ports); err != nil {
		return err
	}
	return c.Reinstall(ctx)
}

// Reinstall applies what is installed once more, and waits until it serves.
func (c *Cluster) Reinstall(ctx context.Context) error {
	if err := c.InstallFile(ctx, filepath.Join(c.Root, "dist", "install.yaml"), c.Ports); err != nil {
		return err
	}
	return c.WaitInstalled(ctx)
}

// WaitInstalled waits until what is installed serves.
func (c *Cluster) WaitInstalled(ctx context.Context) error {
	for _, wait := range [][]string{
		{"rollout", "status", "deployment/joberror-operator", "-n", "joberror-system", "--timeout=120s"},
		{"wait", "apiservice/v1.resolve.joberror.io", "--for=condition=Available", "--timeout=120s"},
	} {
		if _, err := c.Run(ctx, nil, wait...); err != nil {
			return err
		}
	}
	return nil
}

// Operate starts an operator and waits until it serves.
func (c *Cluster) Operate(ctx context.Context, name string, args ...string) (*controlplane.Process, error) {
	process, err := c.StartOperator(ctx, name, c.binary, c.Ports, args...)
	if err == nil {
		c.operators = append(c.operators, process)
	}
	return process, err
}

// Launch starts an operator at these ports and does not wait for it.
func (c *Cluster) Launch(name string, at controlplane.OperatorPorts, args ...string) (*controlplane.Process, error) {
	process, err := c.LaunchOperator(name, c.binary, at, args...)
	if err == nil {
		c.operators = append(c.operators, process)
	}
	return process, err
}

// Kubectl runs kubectl as the administrator and returns what it printed.
func (c *Cluster) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := c.Run(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// User returns a configuration for a user, authenticated by certificate, with
// no rights but those bound to that name.
func (c *Cluster) User(t testing.TB, name string) *rest.Config {
	t.Helper()
	_, config, err := c.KubeconfigFor(filepath.Base(t.TempDir())+"-"+name+".kubeconfig", name)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// ClientFor returns a client for a user.
func (c *Cluster) ClientFor(t testing.TB, name string) client.Client {
	t.Helper()
	user, err := client.New(c.User(t, name), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// Key is the key of an object.
func Key(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}
