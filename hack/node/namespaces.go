//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package node runs a real Kubernetes node for a control plane: a kubelet and
// containerd, from binaries that make node-assets built. The node runs in its own
// namespaces and ends with them.
package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// The program runs as three processes. The first waits outside and cleans up. The
// second is the init process of the new namespaces: it prepares them and reaps
// orphans, and all other processes end with it. The third runs the function given
// to Main.
const (
	roleVariable = "JOBERROR_NODE_ROLE"
	roleInit     = "init"
	roleInside   = "inside"

	// pidFile holds the second process's ID, as seen from outside.
	pidFile = "pid"
)

// Main runs a function in new namespaces and returns its exit status. To do that,
// it starts the program again with the same arguments, so call it before anything
// else. The function gets the directory for everything that the node writes.
func Main(run func(dir string) int) int {
	status := 0
	var err error
	switch os.Getenv(roleVariable) {
	case roleInside:
		return run(os.Getenv(dirVariable))
	case roleInit:
		status, err = runInit()
	default:
		status, err = runOutside()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 1
	}
	return status
}

// runOutside starts the program in new namespaces, waits for it, and removes what
// does not end with the namespaces.
func runOutside() (int, error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("a node needs root")
	}
	before, err := takeSnapshot()
	if err != nil {
		return 1, err
	}
	outside, err := newFootprint()
	if err != nil {
		return 1, err
	}
	status, err := reexec(roleInit, outside.dir, []string{dirVariable + "=" + outside.dir, cgroupVariable + "=" + outside.cgroup}, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		// A killed test must not leave a node behind.
		Pdeathsig: syscall.SIGKILL,
	})
	// If the run failed, keep the logs to show why.
	return status, errors.Join(err, outside.remove(status != 0 || err != nil), before.compare(outside.cgroup))
}

// reexec starts this program in a role, forwards SIGTERM to it, and waits for it.
func reexec(role, dir string, env []string, attr *syscall.SysProcAttr) (int, error) {
	// The kernel sends Pdeathsig when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(append(os.Environ(), env...), roleVariable+"="+role)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attr
	signals := make(chan os.Signal, 8)
	// Ctrl-C reaches every process of the terminal, including the last one.
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	if role == roleInit {
		if err := os.WriteFile(filepath.Join(dir, pidFile), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
			return 1, err
		}
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				if s == syscall.SIGTERM {
					_ = cmd.Process.Signal(s)
				}
			case <-done:
				return
			}
		}
	}()
	if role == roleInit {
		err := cmd.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return max(exit.ExitCode(), 1), nil
		}
		return 0, err
	}
	return reapUntil(cmd.Process.Pid)
}

// reapUntil reaps children until the process with this ID has ended, and returns
// that process's status.
func reapUntil(pid int) (int, error) {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, err
		case ended == pid && status.Signaled():
			return 128 + int(status.Signal()), nil
		case ended == pid:
			return status.ExitStatus(), nil
		}
	}
}

// runInit prepares the namespaces and runs the program in them.
func runInit() (int, error) {
	dir := os.Getenv(dirVariable)
	if err := prepare(dir); err != nil {
		return 1, fmt.Errorf("prepare the namespaces: %w", err)
	}
	return reexec(roleInside, dir, nil, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL})
}
