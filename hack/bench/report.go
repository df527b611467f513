// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operation holds the result of one operation on many errors.
type operation struct {
	name string
	n    int
	took time.Duration
	// floor is how long the plain client takes for as many errors. It is extrapolated
	// from slices, the measured parts.
	floor  time.Duration
	slices []timing
	writes writes
}

// ratio returns the operation's time divided by its floor.
func (o operation) ratio() float64 { return o.took.Seconds() / o.floor.Seconds() }

// sliceRates returns the errors per second of the slowest and the fastest slice.
func (o operation) sliceRates() (slowest, fastest float64) {
	var rates []float64
	for _, p := range o.slices {
		rates = append(rates, p.rate().perSecond())
	}
	return slices.Min(rates), slices.Max(rates)
}

// results holds the measurements of a run.
type results struct {
	settings
	began           time.Time
	operations      []operation
	alone           []latency
	duringBulk      []latency
	alternatives    []rate
	scaled          []scaled
	held            []heldResult
	archiveSizes    []archiveSize
	archiveSearches []archiveSearch
	archivedExpiry  archivedExpiry
	// onNode is nil if no real node can run on this machine.
	onNode *nodeLatency
}

func newResults(s settings) *results { return &results{settings: s, began: time.Now()} }

func (r *results) markdown() string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("# Benchmarks")
	line("%s", preface)
	r.writeOperations(line)
	r.writeSingle(line)
	r.writeScaled(line)
	r.writeHeld(line)
	r.writeNode(line)
	r.writeArchived(line)
	return text.String()
}

// section begins a section. It says when and on what it was measured, because parts can be
// measured again on their own.
func (r *results) section(line func(string, ...any), title string) {
	line("## %s\n", title)
	line("Measured on %s, %s, on %s.\n", r.began.UTC().Format("2006-01-02"), versions(), machine())
}

const preface = `
` + "`make bench`" + ` writes this page, and ` + "`make bench PART=holding`" + ` one section of it. The control
plane, the operator and the client share a machine.

Seconds differ from machine to machine and from day to day; the ratios are what counts.
The floor of an operation is the time that the same writes take from one plain client,
with as many writes in flight, to a resource with the same schema that nobody watches.
The operation and its floor take turns of a few seconds each, so that both run under the
same conditions; the operator is stopped while the floor is written. The slowest and the
fastest turn of the floor show how much the speed of the machine varied.
`

// causes explains the ratios. It holds for every run.
const causes = `
The target is a ratio of 1.15. An operation does work that its floor does not do:

- For each error that is reported, the API server evaluates the policies for users, one of
  which fills in the user, and calls the webhook, which fills in the time and the Job. This saves the write of the owners, which a link to a later Job needs. A
  report also has twice as many writes in flight: the reporter's and the operator's.
- A bulk resolve writes the progress of its resolution once a second, even during the
  floor's turns.
- Capture writes an Event on each Job about its errors, and then the Event's count: two
  more writes for each Job, which has two errors here.
- Expiry and capture at startup include the time until the operator is ready: about 2 s.
- The operator runs with --allow-mass-expiry; otherwise, the overdue errors would be held
  back or deleted at a pace of 10 per second.
- In every operation, the API server sends each change to the operator, and evaluates
  the conditions of the webhooks and policies that exempt the operator.`

func (r *results) writeOperations(line func(string, ...any)) {
	if len(r.operations) == 0 {
		return
	}
	r.section(line, "Many errors at once")
	line("%d writes in flight.\n", r.inFlight)
	line("| operation | errors | floor: errors per second in its turns | floor | took | ratio | writes that the API server answered |")
	line("|---|--:|--:|--:|--:|--:|---|")
	for _, o := range r.operations {
		slowest, fastest := o.sliceRates()
		line("| %s | %d | %.0f to %.0f | %.2f s | %.2f s | **%.2f** | %d: %s |", o.name, o.n, slowest, fastest,
			o.floor.Seconds(), o.took.Seconds(), o.ratio(), o.writes.total(), o.writes)
	}
	line("%s", causes)
	r.writeAlternatives(line)
}

func (r *results) writeAlternatives(line func(string, ...any)) {
	if len(r.alternatives) == 0 {
		return
	}
	line("\nThe alternatives, each on a sample:\n")
	line("| way | errors | errors per second |")
	line("|---|--:|--:|")
	for _, o := range r.operations {
		if strings.HasPrefix(o.name, "bulk") {
			row := rate{name: "one bulk resolve", n: o.n, took: o.took}
			line("| %s | %d | %.0f |", row.name, row.n, row.perSecond())
		}
	}
	for _, a := range r.alternatives {
		line("| %s | %d | %.0f |", a.name, a.n, a.perSecond())
	}
}

func (r *results) writeSingle(line func(string, ...any)) {
	if len(r.alone) == 0 || len(r.duringBulk) == 0 {
		return
	}
	table := func(rows []latency) {
		line("| request | times | p50 | p99 | longest |")
		line("|---|--:|--:|--:|--:|")
		for _, l := range rows {
			line("| %s | %d | %s | %s | %s |", l.name, len(l.took), milliseconds(l.percentile(50)), milliseconds(l.percentile(99)), milliseconds(l.percentile(100)))
		}
	}
	line("")
	r.section(line, "One error at a time")
	line("While nothing else is running:\n")
	table(r.alone)
	patch, put := r.alone[0], r.alone[1]
	line("\nThe PUT takes %.1f times as long as the patch at p50, and %.1f times as long at p99.\n",
		put.percentile(50).Seconds()/patch.percentile(50).Seconds(), put.percentile(99).Seconds()/patch.percentile(99).Seconds())
	line("While %d errors are resolved in another namespace:\n", bulkSize)
	table(r.duringBulk)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

func (r *results) writeScaled(line func(string, ...any)) {
	if len(r.scaled) == 0 {
		return
	}
	few, many := scalingSizes[0], scalingSizes[1]
	line("")
	r.section(line, "Many objects of one Job or namespace")
	line("Work that would take too long if its cost grew faster than the number of objects:\n")
	line("| | %d | %d | factor, for %d times as many |", few, many, many/few)
	line("|---|--:|--:|--:|")
	for _, s := range r.scaled {
		line("| %s | %s | %s | **%.1f** |", s.name, milliseconds(s.took[0]), milliseconds(s.took[1]), s.took[1].Seconds()/s.took[0].Seconds())
	}
}

func (r *results) writeHeld(line func(string, ...any)) {
	if len(r.held) == 0 {
		return
	}
	line("")
	r.section(line, "Errors at rest")
	line("etcd, kube-apiserver and then the operator were started with these errors in the cluster, the operator with the memory limit of a container. The table shows the operator's heap, its resident memory after a garbage collection, and the resident memory of the other two:\n")
	line("| errors | Jobs with a pod | limit | heap | heap each | resident | peak at start | ready after | all reconciled after | CPU when idle | writes when idle | kube-apiserver | etcd |")
	line("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, h := range r.held {
		line("| %s | %d | %s | %s | %d B | %s | %s | %.1f s | %.1f s | %.2f %% of a core | %d | %s | %s |", h.describe(), h.jobs, megabytes(memoryLimit(h.errors)), megabytes(h.heap), h.perItem, megabytes(h.rss),
			megabytes(h.peak), h.ready.Seconds(), h.firstPass.Seconds(), 100*h.idleCPU, h.idleWrites.total(), megabytes(h.apiServer), megabytes(h.etcd))
	}
}

// describe returns the number of errors in words.
func (h heldResult) describe() string {
	if h.ownJobs {
		return fmt.Sprintf("%d, a Job each", h.errors)
	}
	return strconv.Itoa(h.errors)
}

func (r *results) writeNode(line func(string, ...any)) {
	if r.onNode == nil {
		return
	}
	line("")
	r.section(line, "On a real node")
	line("For %d containers, one after the other, until a watch shows the JobError:\n", nodeSamples)
	line("| from | p50 | p99 |")
	line("|---|--:|--:|")
	line("| the exit of the container | %s | %s |", milliseconds(r.onNode.p50), milliseconds(r.onNode.p99))
	line("| the status in which the kubelet reports the exit | %s | %s |", milliseconds(r.onNode.p50SinceKubelet), milliseconds(r.onNode.p99SinceKubelet))
}

// addHeld adds a result. The first one is for an operator that holds nothing; the cost
// per item of each later one is the difference from it.
func (r *results) addHeld(h heldResult) {
	if n := int64(h.errors + h.jobs); n > 0 {
		h.perItem = (int64(h.heap) - int64(r.held[0].heap)) / n
	}
	r.held = append(r.held, h)
}

func megabytes(bytes uint64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// versions returns the commit, the Go version and the versions of the main libraries.
func versions() string {
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	parts := []string{"commit " + strings.TrimSpace(string(commit)), runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "k8s.io/client-go" || dep.Path == "sigs.k8s.io/controller-runtime" {
				parts = append(parts, dep.Path+" "+dep.Version)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// machine describes the machine that the benchmark ran on.
func machine() string {
	model := ""
	if file, err := os.Open("/proc/cpuinfo"); err == nil {
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan() && model == ""; {
			if value, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
				model = strings.Trim(value, "\t: ")
			}
		}
	}
	return fmt.Sprintf("%d cores, %s, %s/%s", runtime.NumCPU(), cmp.Or(model, "unknown model"), runtime.GOOS, runtime.GOARCH)
}
