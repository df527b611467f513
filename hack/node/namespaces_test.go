//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programVariable makes the test binary run program instead of the tests.
const programVariable = "JOBERROR_NODE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		os.Exit(Main(program))
	}
	os.Exit(m.Run())
}

// program leaves everything that a node can leave behind, and waits.
func program(dir string) int {
	for _, name := range sysctls {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte("7"), 0o644); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	for _, root := range cgroupRoots() {
		if err := createCgroup(filepath.Join(root, os.Getenv(cgroupVariable), "kubepods")); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	// An orphan in its own session, like a shim.
	orphan := exec.Command("setsid", "--fork", "sh", "-c", "sleep 3600; : "+dir)
	if err := orphan.Run(); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := syscall.Mount("tmpfs", filepath.Join(dir, "sysctls"), "tmpfs", 0, ""); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready", dir)
	if os.Getenv(programVariable) == "ends" {
		return 5
	}
	time.Sleep(time.Hour)
	return 0
}

// startProgram starts program in new namespaces and returns the node's directory.
func startProgram(t *testing.T, mode string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), programVariable+"="+mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	dir, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ready {
		t.Fatalf("output = %q, want ready and a directory", line)
	}
	return cmd, dir
}

func TestLeavesNothingBehind(t *testing.T) {
	for mode, end := range map[string]func(*exec.Cmd) error{
		"ends":       func(*exec.Cmd) error { return nil },
		"terminated": func(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(mode, func(t *testing.T) {
			before, err := takeSnapshot()
			if err != nil {
				t.Fatal(err)
			}
			cmd, dir := startProgram(t, mode)
			if err := end(cmd); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil {
				t.Error("exit status = 0, want the program's failure")
			}
			if err := before.compare(filepath.Base(dir)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNextNodeRemovesAKilledOne(t *testing.T) {
	before, err := takeSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	cmd, dir := startProgram(t, "killed")
	other, busy := startProgram(t, "other")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// The processes end with the killed one even before the next node starts.
	for range 100 {
		if err = processesOf(filepath.Base(dir)); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Error(err)
	}
	next, err := newFootprint()
	if err != nil {
		t.Fatal(err)
	}
	if err := before.compare(filepath.Base(dir)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("stat %s: %v, want it removed", dir, err)
	}
	// The other node is in use, so its directory stays.
	if _, err := os.Stat(busy); err != nil {
		t.Error(err)
	}
	if err := other.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	if err := next.remove(false); err != nil {
		t.Error(err)
	}
}
