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

// stopTimeout is how long a process has to end by itself.
const stopTimeout = 20 * time.Second

// Process is a program that was started, in a process group of its own so that
// a Ctrl-C in the terminal reaches it only by way of Stop.
type Process struct {
	Name string
	// Log is the file that holds what it printed.
	Log string

	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// StartProcess starts a program; its output goes to name.log in the folder.
func StartProcess(name, logs, program string, args []string, env ...string) (*Process, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	return StartCommand(name, logs, cmd)
}

// StartCommand is StartProcess for a command that was made already.
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
		// Linux ties a child's life to the thread that started it, so the
		// thread stays until the child is gone.
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
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Err tells how a process that was not asked to has ended, with the end of its
// log.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %v; the end of %s:\n%s", p.Name, p.cmd.ProcessState, p.Log, tail(p.Log, 5))
	default:
		return nil
	}
}

// Stop asks the process to end and waits until it has; one that takes too long
// is killed.
func (p *Process) Stop() error { return p.StopWithin(stopTimeout) }

// StopWithin is Stop for a process that has its own time to end.
func (p *Process) StopWithin(grace time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-p.done
		return nil
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		p.Kill()
		return fmt.Errorf("%s did not end within %s and was killed", p.Name, grace)
	}
}

// Pause stops the process's time until Resume, as an overloaded node may.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Kill ends the process at once and waits until it has.
func (p *Process) Kill() {
	// It fails where the process has ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// waitFor waits until the check holds, the process ends or the context does.
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
			return fmt.Errorf("%s did not get ready: %w; see %s", p.Name, last, p.Log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// healthy checks that a URL answers 200.
func healthy(url string) func(context.Context) error {
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
