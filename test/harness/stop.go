// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
)

// Lines of an operator's log that no test provokes, and some that only a control
// plane with its parts gone does.
var (
	alarming = regexp.MustCompile(`(?m)^.*(DATA RACE|panic:|Observed a panic).*$`)
	// What errors say, and what opens doors, is no log's business.
	private   = regexp.MustCompile(`(?m)^.*(message of |Bearer |eyJhbGci|PRIVATE KEY).*$`)
	surprised = regexp.MustCompile(`(?m)^.*(is forbidden: User|Reconciler error).*$`)
)

func (c *Cluster) stop() error {
	if c.Plane == nil {
		return nil
	}
	var errs []error
	logs := map[string]bool{}
	if c.Pods != nil {
		errs = append(errs, c.Pods.Stop())
		for _, log := range c.Pods.Logs() {
			logs[log] = true
		}
	}
	for _, operator := range c.operators {
		errs = append(errs, operator.Stop())
		logs[operator.Log] = true
	}
	for path := range logs {
		data, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
		}
		lines := append(alarming.FindAll(data, 1), private.FindAll(data, 1)...)
		if !c.Rough {
			lines = append(lines, surprised.FindAll(data, -1)...)
		}
		for _, line := range lines {
			// What is under way when an operator is told to end is cut short.
			if !bytes.Contains(line, []byte("context canceled")) {
				errs = append(errs, fmt.Errorf("the operator's log %s has %q", path, line))
			}
		}
	}
	return errors.Join(append(errs, c.Stop())...)
}
