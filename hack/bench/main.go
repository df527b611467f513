// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator on a real control plane, against the
// floor: the time that the same number of bare writes takes from one plain
// client, with as many in flight, in the same run. It is what "make bench" runs.
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

// settings are the flags.
type settings struct {
	assets, operator, output, profiles, only string
	// inFlight is the number of writes in flight, of the operator and of the
	// floor alike.
	inFlight int
	// sizes are how many errors an operation is about.
	sizes []int
	// held are how many errors the operator holds while its memory is taken.
	held []int
	// jobs is how many Jobs with a pod it holds then, beside them.
	jobs int
}

func main() {
	var s settings
	s.inFlight = options.New().Concurrency
	s.sizes, s.held = []int{1000, 10000}, []int{10000, 100000}
	flag.StringVar(&s.assets, "assets", "bin/assets", "folder of the control plane's binaries")
	flag.StringVar(&s.operator, "operator", "bin/operator", "the operator's binary")
	flag.StringVar(&s.output, "report", "", "file to write the report to; it is printed in any case")
	flag.StringVar(&s.profiles, "profiles", "", "folder for profiles of the operator; empty keeps none, as for a run that counts")
	flag.StringVar(&s.only, "only", "", "one of operations, single, alternatives and holding; empty measures all")
	flag.IntVar(&s.inFlight, "in-flight", s.inFlight, "writes in flight, of the operator and of the floor")
	flag.Func("sizes", "numbers of errors to work on (default 1000,10000)", numbers(&s.sizes))
	flag.Func("held", "numbers of errors to hold in memory (default 10000,100000)", numbers(&s.held))
	flag.IntVar(&s.jobs, "jobs", 10000, "Jobs with a pod each to hold in memory")
	flag.Parse()
	// controller-runtime warns where nobody tells it what to log with.
	log.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "make bench:", err)
		os.Exit(1)
	}
}

// numbers parses a list of positive numbers; an empty one is none.
func numbers(target *[]int) func(string) error {
	return func(value string) error {
		*target = nil
		for _, field := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' }) {
			n, err := strconv.Atoi(field)
			if err != nil || n < 1 {
				return fmt.Errorf("%q is no positive number", field)
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
	b, err := start(ctx, s, dir)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, b.stop())
		if err != nil {
			err = fmt.Errorf("%w; the logs are in %s", err, dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	r := newReport(s)
	measured := b.all(ctx, r)
	// What was measured is worth its time, whatever failed after it.
	text := r.markdown()
	fmt.Print("\n", text)
	if measured != nil || s.output == "" {
		return measured
	}
	return os.WriteFile(s.output, []byte(text), 0o644)
}

// all measures all parts, or the one that is asked for.
func (b *bench) all(ctx context.Context, r *report) error {
	for _, part := range []struct {
		name    string
		measure func(context.Context, *report) error
	}{{"operations", b.operations}, {"single", b.single}, {"alternatives", b.alternatives}, {"holding", b.holding}} {
		if b.only != "" && b.only != part.name {
			continue
		}
		if err := part.measure(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// say tells what goes on, with the time since the start.
func say(format string, args ...any) {
	fmt.Printf("==> %6.1fs  "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
}

var began = time.Now()
