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

// Asking the operator whether it is done costs it a little, so it is asked once
// in a hundredth of the time that has gone by, within these bounds.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = 500 * time.Millisecond
)

type families map[string]*dto.MetricFamily

// scrape reads the families of these names; the rest is not worth parsing.
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

// sum adds up the samples of a family, whatever their labels.
func (f families) sum(name string) float64 {
	var total float64
	for _, m := range f[name].GetMetric() {
		total += m.GetUntyped().GetValue()
	}
	return total
}

// writes are the write requests that the API server has answered so far, by
// what they wrote: those of the operator's resources and the Events.
type writes map[string]int

func (b *bench) writes(ctx context.Context) (writes, error) {
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
		what := label["verb"] + " " + label["resource"]
		if label["subresource"] != "" {
			what += "/" + label["subresource"]
		}
		if !strings.HasPrefix(label["code"], "2") {
			what += " (" + label["code"] + ")"
		}
		w[what] += int(m.GetUntyped().GetValue())
	}
	return w, nil
}

// since are the writes that were made since an earlier moment.
func (w writes) since(earlier writes) writes {
	diff := writes{}
	for what, n := range w {
		if n > earlier[what] {
			diff[what] = n - earlier[what]
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
	for _, what := range slices.Sorted(maps.Keys(w)) {
		parts = append(parts, fmt.Sprintf("%d %s", w[what], what))
	}
	return strings.Join(parts, ", ")
}

// own are metrics of the operator.
func (b *bench) own(ctx context.Context, names ...string) (families, error) {
	return scrape(ctx, http.DefaultClient, "http://"+b.metrics+"/metrics", names...)
}

// done waits until the operator has nothing to do and the check finds no
// problem, and returns when that was.
func (b *bench) done(ctx context.Context, check func(context.Context) (string, error)) (time.Time, error) {
	const working, waiting = "controller_runtime_active_workers", "workqueue_depth"
	for began := time.Now(); ; {
		own, err := b.own(ctx, working, waiting)
		if err != nil {
			return time.Time{}, err
		}
		at := time.Now()
		if own.sum(working) == 0 && own.sum(waiting) == 0 {
			if problem, err := check(ctx); err != nil || problem == "" {
				return at, err
			}
		}
		if err := pause(ctx, min(max(time.Since(began)/100, leastPause), mostPause)); err != nil {
			return time.Time{}, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// profile takes a CPU profile of the operator while f runs, where profiles are
// asked for.
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

// takeProfile takes a profile of the operator, and keeps it where profiles are
// asked for.
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
