// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// stopTimeout limits how long a process may take to end after SIGTERM.
const stopTimeout = 20 * time.Second

// Process is a started program. It has its own process group, so that Ctrl-C in the
// terminal does not reach it; Stop ends it.
type Process struct {
	Name string
	// Log is the path of the file with its output.
	Log string

	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// StartProcess starts a program and writes its output to name.log in the logs
// directory.
func StartProcess(name, logs, program string, args []string, env ...string) (*Process, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	return StartCommand(name, logs, cmd)
}

// StartCommand starts a command and writes its output to name.log in the logs
// directory.
func StartCommand(name, logs string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{Name: name, Log: filepath.Join(logs, name+".log"), cmd: cmd, done: make(chan struct{})}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	killWithParent(cmd.SysProcAttr)
	started := make(chan error)
	go func() {
		// Linux kills the child when the thread that started it ends, so the
		// thread stays until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID returns the process's ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Err returns an error with the exit state and the last lines of the log if the
// process has ended.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %v; last lines of %s:\n%s", p.Name, p.cmd.ProcessState, p.Log, tail(p.Log, 5))
	default:
		return nil
	}
}

// Stop sends SIGTERM and waits until the process has ended. It kills a process that
// takes too long.
func (p *Process) Stop() error { return p.StopWithin(stopTimeout) }

// StopWithin stops the process as Stop does, with a custom timeout.
func (p *Process) StopWithin(grace time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-p.done
		return nil //nolint:nilerr // the process has already ended
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		p.Kill()
		return fmt.Errorf("%s did not end within %s and was killed", p.Name, grace)
	}
}

// Pause suspends the process until Resume, as an overloaded node might.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume continues a paused process.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Kill kills the process and waits until it has ended.
func (p *Process) Kill() {
	// Kill fails if the process has already ended.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// waitFor waits until the check passes, the process ends or the context ends.
func (p *Process) waitFor(ctx context.Context, check func(context.Context) error) error {
	var last error
	for {
		if last = check(ctx); last == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("%s did not become ready: %w; see %s", p.Name, last, p.Log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// checkHealth returns a check that a URL answers with status 200.
func checkHealth(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	}
}

func tail(path string, lines int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	rows := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(rows[max(0, len(rows)-lines):], []byte("\n")))
}
