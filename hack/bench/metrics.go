// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Asking the operator whether it is done costs it some time. The delay between two
// polls is therefore a hundredth of the elapsed time, within these limits.
const (
	minPoll = 50 * time.Millisecond
	maxPoll = 500 * time.Millisecond
)

type families map[string]*dto.MetricFamily

// scrape reads the metric families with these name prefixes and skips the others,
// which saves parsing time.
func scrape(ctx context.Context, client *http.Client, url string, names ...string) (families, error) {
	body, err := get(ctx, client, url)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var wanted bytes.Buffer
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		line := lines.Text()
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(line, name) }) {
			wanted.WriteString(line + "\n")
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(&wanted)
}

func get(ctx context.Context, client *http.Client, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return response.Body, nil
}

// sum returns the sum of a family's samples over all labels.
func (f families) sum(name string) float64 {
	var total float64
	for _, m := range f[name].GetMetric() {
		total += m.GetUntyped().GetValue()
	}
	return total
}

// writes counts write requests for the operator's resources and Events, by verb and
// resource.
type writes map[string]int

// countWrites returns the write requests that the API server has answered so far.

func (b *bench) countWrites(ctx context.Context) (writes, error) {
	const requests = "apiserver_request_total"
	all, err := scrape(ctx, b.http, b.Config().Host+"/metrics", requests)
	if err != nil {
		return nil, err
	}
	w := writes{}
	for _, m := range all[requests].GetMetric() {
		label := map[string]string{}
		for _, l := range m.GetLabel() {
			label[l.GetName()] = l.GetValue()
		}
		if label["dry_run"] != "" || !slices.Contains([]string{"joberror.io", "events.k8s.io"}, label["group"]) {
			continue
		}
		if !slices.Contains([]string{"POST", "PUT", "PATCH", "APPLY", "DELETE"}, label["verb"]) {
			continue
		}
		request := label["verb"] + " " + label["resource"]
		if label["subresource"] != "" {
			request += "/" + label["subresource"]
		}
		if !strings.HasPrefix(label["code"], "2") {
			request += " (" + label["code"] + ")"
		}
		w[request] += int(m.GetUntyped().GetValue())
	}
	return w, nil
}

// since returns the writes after an earlier count.
func (w writes) since(earlier writes) writes {
	diff := writes{}
	for request, n := range w {
		if n > earlier[request] {
			diff[request] = n - earlier[request]
		}
	}
	return diff
}

func (w writes) total() int {
	n := 0
	for _, count := range w {
		n += count
	}
	return n
}

func (w writes) String() string {
	var parts []string
	for _, request := range slices.Sorted(maps.Keys(w)) {
		parts = append(parts, fmt.Sprintf("%d %s", w[request], request))
	}
	return strings.Join(parts, ", ")
}

// operatorMetrics reads metrics of the operator.
func (b *bench) operatorMetrics(ctx context.Context, names ...string) (families, error) {
	return scrape(ctx, http.DefaultClient, "http://"+b.metrics+"/metrics", names...)
}

// waitIdle waits until the operator has nothing to do and the check finds no
// problem, and returns the time of that moment.
func (b *bench) waitIdle(ctx context.Context, check func(context.Context) (string, error)) (time.Time, error) {
	const working, waiting = "controller_runtime_active_workers", "workqueue_depth"
	for began := time.Now(); ; {
		metrics, err := b.operatorMetrics(ctx, working, waiting)
		if err != nil {
			return time.Time{}, err
		}
		at := time.Now()
		if metrics.sum(working) == 0 && metrics.sum(waiting) == 0 {
			if problem, err := check(ctx); err != nil || problem == "" {
				return at, err
			}
		}
		if err := sleep(ctx, min(max(time.Since(began)/100, minPoll), maxPoll)); err != nil {
			return time.Time{}, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// profile runs f, and takes a CPU profile of the operator at the same time if the profiles
// flag is set.
func (b *bench) profile(ctx context.Context, name string, f func() error) error {
	if b.profiles == "" || b.operator == nil {
		return f()
	}
	finished := make(chan error, 1)
	go func() { finished <- b.takeProfile(ctx, name, "profile?seconds=5") }()
	if err := f(); err != nil {
		return err
	}
	return <-finished
}

// takeProfile takes a profile of the operator, and stores it if the profiles flag is
// set.
func (b *bench) takeProfile(ctx context.Context, name, path string) error {
	body, err := get(ctx, http.DefaultClient, "http://"+b.pprof+"/debug/pprof/"+path)
	if err != nil {
		return err
	}
	defer body.Close()
	if b.profiles == "" {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	file, err := os.Create(filepath.Join(b.profiles, name+".pprof"))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, body)
	return err
}
