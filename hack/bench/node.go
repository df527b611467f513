// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// nodeSamples is the number of containers that fail on a real node.
const nodeSamples = 100

// nodeLatency holds the time from a container's exit to its JobError, and the part of it that
// follows the status in which the kubelet reports the exit.
type nodeLatency struct{ p50, p99, p50SinceKubelet, p99SinceKubelet time.Duration }

// node measures capture on a real node. It needs root, and the binaries that "make
// node-assets" builds; without them the report has no such row.
func (b *bench) node(ctx context.Context, r *results) error {
	if !b.canRunNode() {
		logf("capture on a real node is not measured: it needs root and make node-assets")
		return nil
	}
	logf("capture on a real node")
	if err := b.stopOperator(); err != nil {
		return err
	}
	var output bytes.Buffer
	test := exec.CommandContext(ctx, "go", "test", "-tags=node", "-run=^$", "-bench=^BenchmarkCapture$",
		fmt.Sprintf("-benchtime=%dx", nodeSamples), "-timeout=30m", "./test/node")
	test.Stdout, test.Stderr = &output, &output
	if err := test.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", test, err, &output)
	}
	latency, err := parseNodeLatency(&output)
	r.onNode = latency
	return err
}

// canRunNode reports whether this machine can run a real node.
func (b *bench) canRunNode() bool {
	_, err := os.Stat(filepath.Join(b.assets, "containerd"))
	return err == nil && os.Geteuid() == 0
}

// parseNodeLatency reads the metrics of a benchmark's output, which has lines such as
// "BenchmarkCapture-2  100  21000000 ns/op  310 p50-ms  20 p50-since-kubelet  520 p99-ms  40 p99-since-kubelet".
func parseNodeLatency(output *bytes.Buffer) (*nodeLatency, error) {
	latency := &nodeLatency{}
	metrics := map[string]*time.Duration{
		"p50-ms": &latency.p50, "p99-ms": &latency.p99,
		"p50-since-kubelet": &latency.p50SinceKubelet, "p99-since-kubelet": &latency.p99SinceKubelet,
	}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		for i := 1; i < len(fields); i++ {
			target := metrics[fields[i]]
			if target == nil {
				continue
			}
			value, err := strconv.ParseFloat(fields[i-1], 64)
			if err != nil {
				return nil, fmt.Errorf("read the benchmark's %s: %w", fields[i], err)
			}
			*target = time.Duration(value * float64(time.Millisecond))
		}
	}
	if latency.p50 == 0 || latency.p99 == 0 {
		return nil, errors.New("the benchmark on a real node printed no p50-ms or p99-ms")
	}
	return latency, nil
}
