// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator on a real control plane and compares it with
// the floor: how long one plain client takes for the same number of bare writes, with
// as many in flight, in the same run. "make bench" starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/options"
)

// settings holds the flags.
type settings struct {
	assets, operator, output, profiles, only string
	// inFlight is the number of writes in flight, for both the operator and the
	// floor.
	inFlight int
	// sizes lists the numbers of errors to measure each operation with.
	sizes []int
	// held lists the numbers of errors that the operator holds while its memory is
	// measured. Each of the errors in heldOwn has a Job of its own.
	held, heldOwn []int
	// jobs is the number of Jobs with a pod that the operator holds in a separate
	// measurement.
	jobs int
}

func main() {
	var s settings
	s.inFlight = options.New().Concurrency
	s.sizes, s.held, s.heldOwn = []int{1000, 10000}, []int{10000, 100000}, []int{300000}
	flag.StringVar(&s.assets, "assets", "bin/assets", "directory of the control plane's binaries")
	flag.StringVar(&s.operator, "operator", "bin/operator", "path of the operator's binary")
	flag.StringVar(&s.output, "report", "", "file for the report, which is always printed too")
	flag.StringVar(&s.profiles, "profiles", "", "directory for profiles of the operator, which slow it down; empty takes none")
	flag.StringVar(&s.only, "only", "", "part to measure: operations, single, alternatives, scaling, holding, node or archive; empty measures all")
	flag.IntVar(&s.inFlight, "in-flight", s.inFlight, "writes in flight, for the operator and the floor")
	flag.Func("sizes", "numbers of errors to work on (default 1000,10000)", numbers(&s.sizes))
	flag.Func("held", "numbers of errors to hold in memory (default 10000,100000)", numbers(&s.held))
	flag.Func("held-own", "numbers of errors with a Job each to hold in memory (default 300000)", numbers(&s.heldOwn))
	flag.IntVar(&s.jobs, "jobs", 10000, "number of Jobs with a pod each to hold in memory")
	flag.Parse()
	// controller-runtime warns if no logger is set.
	log.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "make bench:", err)
		os.Exit(1)
	}
}

// numbers returns a parser for a comma-separated list of positive numbers, which may
// be empty.
func numbers(target *[]int) func(string) error {
	return func(value string) error {
		*target = nil
		for _, field := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' }) {
			n, err := strconv.Atoi(field)
			if err != nil || n < 1 {
				return fmt.Errorf("%q is not a positive number", field)
			}
			*target = append(*target, n)
		}
		return nil
	}
}

func run(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "joberror-bench-")
	if err != nil {
		return err
	}
	for _, path := range []*string{&s.assets, &s.operator} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	b, err := startBench(ctx, s, dir)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, b.stop())
		if err != nil {
			err = fmt.Errorf("%w; see the logs in %s", err, dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	r := newResults(s)
	measureErr := b.measureAll(ctx, r)
	// Print the results even if a later measurement failed.
	text := r.markdown()
	fmt.Print("\n", text)
	if measureErr != nil || s.output == "" {
		return measureErr
	}
	return writeReport(s.output, text)
}

// measureAll measures all parts, or the part that the only flag selects.
func (b *bench) measureAll(ctx context.Context, r *results) error {
	for _, part := range []struct {
		name    string
		measure func(context.Context, *results) error
	}{{"operations", b.operations}, {"single", b.single}, {"alternatives", b.alternatives}, {"scaling", b.scaling}, {"holding", b.holding}, {"node", b.node}, {"archive", b.archived}} {
		if b.only != "" && b.only != part.name {
			continue
		}
		if err := part.measure(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// logf prints progress with the time since the start.
func logf(format string, args ...any) {
	fmt.Printf("==> %6.1fs  "+format+"\n", append([]any{time.Since(programStart).Seconds()}, args...)...)
}

var programStart = time.Now()
