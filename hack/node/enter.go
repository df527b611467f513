//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package node runs a real Kubernetes node beside a control plane: a kubelet and
// containerd, from binaries that were built here. All of it lives in namespaces
// of its own and ends with them.
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

// The program runs three times. The first process waits outside and cleans up.
// The second is the first process in the new namespaces: it prepares them,
// reaps orphans, and takes all others with it when it ends. The third does what
// the program is for.
const (
	roleVariable = "JOBERROR_NODE_ROLE"
	roleInit     = "init"
	roleInside   = "inside"

	// pidFile holds the id of the second process, as seen from outside.
	pidFile = "pid"
)

// Main runs a function in namespaces of its own and returns its exit status. It
// starts the program again to get there, with the same arguments, so it must be
// called before anything else is done. Dir is the function's folder for
// everything the node writes.
func Main(run func(dir string) int) int {
	status := 0
	var err error
	switch os.Getenv(roleVariable) {
	case roleInside:
		return run(os.Getenv(dirVariable))
	case roleInit:
		status, err = initialize()
	default:
		status, err = outside()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 1
	}
	return status
}

// outside starts the program in new namespaces, waits for it, and removes what
// namespaces don't take with them.
func outside() (int, error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("a node needs root")
	}
	before, err := takeSnapshot()
	if err != nil {
		return 1, err
	}
	traces, err := newTraces()
	if err != nil {
		return 1, err
	}
	status, err := again(roleInit, traces.dir, []string{dirVariable + "=" + traces.dir, cgroupVariable + "=" + traces.cgroup}, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		// A killed test must not leave a node behind.
		Pdeathsig: syscall.SIGKILL,
	})
	// The logs of a run that failed are what tells why.
	return status, errors.Join(err, traces.remove(status != 0 || err != nil), before.compare(traces.cgroup))
}

// again starts this program in a role, passes SIGTERM on to it, and waits for
// it.
func again(role, dir string, env []string, attr *syscall.SysProcAttr) (int, error) {
	// Pdeathsig is sent when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(append(os.Environ(), env...), roleVariable+"="+role)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attr
	signals := make(chan os.Signal, 8)
	// A Ctrl-C reaches each process of the terminal, the last one too.
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

// reapUntil reaps all children until one has ended, and returns its status.
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

// initialize prepares the namespaces and runs the program in them.
func initialize() (int, error) {
	dir := os.Getenv(dirVariable)
	if err := prepare(dir); err != nil {
		return 1, fmt.Errorf("preparing the namespaces: %w", err)
	}
	return again(roleInside, dir, nil, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL})
}
