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

var (
	// crashLine matches lines that no operator may log.
	crashLine = regexp.MustCompile(`(?m)^.*(DATA RACE|panic:|Observed a panic).*$`)
	// secretLine matches the messages of errors, and credentials. No log may contain them.
	secretLine = regexp.MustCompile(`(?m)^.*(message of |Bearer |eyJhbGci|PRIVATE KEY).*$`)
	// timeoutText matches timeouts. Starting containers may slow down the API server of a
	// real node.
	timeoutText = regexp.MustCompile(`Client\.Timeout exceeded|context deadline exceeded`)
	// failureLine matches failures that an operator logs only if the control plane is broken or
	// a right is missing.
	// notServedYet matches the answer of an API server that has just started and does not
	// serve custom resources yet.
	notServedYet = regexp.MustCompile(`There can be a delay between when CustomResourceDefinitions are created`)
	failureLine  = regexp.MustCompile(`(?m)^.*(is forbidden: User|Reconciler error).*$`)
)

// libraryRace matches a known race in k8s.io/apiserver, which serves the aggregated API. At
// startup, the library still sets fields of its TLS configuration while another goroutine
// copies it. It is harmless, because the library copies the configuration again later.
var libraryRace = regexp.MustCompile(`(?s)WARNING: DATA RACE\nRead at [^\n]+\n  crypto/tls\.\(\*Config\)\.Clone\(\)\n[^\n]+\n` +
	`  k8s\.io/apiserver/pkg/server/dynamiccertificates\.\(\*DynamicServingCertificateController\)\.syncCerts\(\)\n` +
	`[^=]+Previous write at [^=]+  k8s\.io/apiserver/pkg/server\.\(\*SecureServingInfo\)\.Serve\(\)\n[^=]+={18}`)

// stop stops the operators and the control plane. It returns an error if a log has a line
// that it must not have.
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
		podLogs, err := c.operatorLogs()
		errs = append(errs, err)
		for _, log := range podLogs {
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
		data = libraryRace.ReplaceAll(data, nil)
		lines := append(crashLine.FindAll(data, 1), secretLine.FindAll(data, 1)...)
		if !c.AllowLogErrors {
			lines = append(lines, failureLine.FindAll(data, -1)...)
		}
		for _, line := range lines {
			// A stopping operator cancels its running requests.
			if bytes.Contains(line, []byte("context canceled")) || notServedYet.Match(line) || c.Node != nil && timeoutText.Match(line) {
				continue
			}
			errs = append(errs, fmt.Errorf("the operator's log %s has the line %q", path, line))
		}
	}
	if c.Node != nil {
		c.stopNode()
	}
	return errors.Join(append(errs, c.Stop())...)
}
