// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
)

var (
	// crashLine matches lines that no operator may log.
	crashLine = regexp.MustCompile(`(?m)^.*(DATA RACE|panic:|Observed a panic).*$`)
	// secretLine matches the messages of errors, and credentials. No log may contain them.
	secretLine = regexp.MustCompile(`(?m)^.*(message of |Bearer |eyJhbGci|PRIVATE KEY).*$`)
	// failureLine matches failures that an operator logs only if the control plane is broken or
	// a right is missing.
	failureLine = regexp.MustCompile(`(?m)^.*(is forbidden: User|Reconciler error).*$`)
	// timeoutText matches timeouts of the control plane, which may be slow on a busy machine.
	timeoutText = regexp.MustCompile(`Client\.Timeout exceeded|context deadline exceeded|etcdserver: request timed out|etcdserver: leader changed`)
	// stoppingText matches what a stopping operator logs, because it cancels its running requests.
	stoppingText = regexp.MustCompile(`context canceled`)
	// notServedYet matches the answer of an API server that has just started and does not
	// serve custom resources yet.
	notServedYet = regexp.MustCompile(`There can be a delay between when CustomResourceDefinitions are created`)
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
		for _, line := range problems(data, c.AllowLogErrors) {
			errs = append(errs, fmt.Errorf("the operator's log %s has the line %q", path, line))
		}
	}
	if c.Node != nil {
		c.stopNode()
	}
	return errors.Join(append(errs, c.Stop())...)
}

// problems returns the lines that an operator's log must not have.
func problems(log []byte, allowErrors bool) [][]byte {
	log = libraryRace.ReplaceAll(log, nil)
	lines := append(crashLine.FindAll(log, 1), secretLine.FindAll(log, 1)...)
	if !allowErrors {
		lines = append(lines, slices.DeleteFunc(failureLine.FindAll(log, -1), timeoutText.Match)...)
	}
	return slices.DeleteFunc(lines, func(line []byte) bool { return stoppingText.Match(line) || notServedYet.Match(line) })
}
