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
	private = regexp.MustCompile(`(?m)^.*(message of |Bearer |eyJhbGci|PRIVATE KEY).*$`)
	// Containers that start keep an API server on the same two cores from answering.
	slow      = regexp.MustCompile(`Client\.Timeout exceeded|context deadline exceeded`)
	surprised = regexp.MustCompile(`(?m)^.*(is forbidden: User|Reconciler error).*$`)
)

// starting is a race that the library of the aggregated API has with itself when it
// starts to serve: it still sets fields of its TLS configuration when what copies
// that is under way already. The copy that is served by is made again later.
var starting = regexp.MustCompile(`(?s)WARNING: DATA RACE\nRead at [^\n]+\n  crypto/tls\.\(\*Config\)\.Clone\(\)\n[^\n]+\n` +
	`  k8s\.io/apiserver/pkg/server/dynamiccertificates\.\(\*DynamicServingCertificateController\)\.syncCerts\(\)\n` +
	`[^=]+Previous write at [^=]+  k8s\.io/apiserver/pkg/server\.\(\*SecureServingInfo\)\.Serve\(\)\n[^=]+={18}`)

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
	if c.Node != nil {
		kept, err := c.operatorLogs()
		errs = append(errs, err)
		for _, log := range kept {
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
		data = starting.ReplaceAll(data, nil)
		lines := append(alarming.FindAll(data, 1), private.FindAll(data, 1)...)
		if !c.AllowLogErrors {
			lines = append(lines, surprised.FindAll(data, -1)...)
		}
		for _, line := range lines {
			// What is under way when an operator is told to end is cut short.
			if bytes.Contains(line, []byte("context canceled")) || c.Node != nil && slow.Match(line) {
				continue
			}
			errs = append(errs, fmt.Errorf("the operator's log %s has %q", path, line))
		}
	}
	if c.Node != nil {
		c.stopNode()
	}
	return errors.Join(append(errs, c.Stop())...)
}
