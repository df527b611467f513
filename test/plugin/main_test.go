// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package plugin tests "kubectl joberrors" as a user runs it: as a process, with a kubeconfig.
package plugin

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{FastControllers: true, AllowLogErrors: true}

func TestMain(m *testing.M) {
	// A resolution of thousands of errors takes long if the machine is busy.
	harness.Timeout = 3 * time.Minute
	os.Exit(harness.Main(m, &cluster))
}

// operator is the running operator; nil if it is stopped.
var operator *controlplane.Process

// operate starts the operator unless it runs.
func operate(t *testing.T) {
	t.Helper()
	if operator != nil {
		return
	}
	var err error
	if operator, err = cluster.Operate(t.Context(), "operator", "--capture-grace=1s"); err != nil {
		t.Fatal(err)
	}
}

// stopOperator stops the operator until operate is called.
func stopOperator(t *testing.T) {
	t.Helper()
	if err := operator.Stop(); err != nil {
		t.Fatal(err)
	}
	operator = nil
}

// command is a run of the plugin.
type command struct {
	*exec.Cmd
	stdout, stderr buffer
}

// buffer is a buffer that can be read while a process writes to it.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// plugin returns a run of the plugin as the administrator.
func plugin(t *testing.T, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.CommandContext(t.Context(), filepath.Join(cluster.PluginDir(t), "kubectl-joberrors"), args...)}
	c.Env = append(cluster.KubectlEnv(), "TZ=UTC")
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	return c
}

// as makes the run one of another user.
func (c *command) as(t *testing.T, user string) *command {
	t.Helper()
	path, _, err := cluster.KubeconfigFor(user+".kubeconfig", user)
	if err != nil {
		t.Fatal(err)
	}
	c.Env = append(c.Env, "KUBECONFIG="+path)
	return c
}

// want runs the plugin, fails the test if it exits with another code, and returns what it wrote
// to standard output and standard error.
func (c *command) want(t *testing.T, code int) (stdout, stderr string) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c.wantEnd(t, code)
}

func (c *command) wantEnd(t *testing.T, code int) (stdout, stderr string) {
	t.Helper()
	err := c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != code {
		t.Fatalf("%s: exit code = %d, want %d\nstdout: %s\nstderr: %s", strings.Join(c.Args[1:], " "), got, code, c.stdout.String(), c.stderr.String())
	}
	return c.stdout.String(), c.stderr.String()
}

// interrupt presses Ctrl-C.
func (c *command) interrupt(t *testing.T) {
	t.Helper()
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// contains fails the test if a text lacks one of these.
func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

// kubectl runs kubectl with the plugin on its path.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.CommandContext(context.Background(), cluster.KubectlPath(), args...)
	c.Env = append(cluster.KubectlEnv(), cluster.PathWithPlugin(t))
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}
