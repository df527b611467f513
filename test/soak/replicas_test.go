// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
)

// replica is a ready replica of the operator, with its metrics.
type replica struct {
	process *controlplane.Process
	ports   controlplane.OperatorPorts
	metrics map[string]*dto.MetricFamily
}

// replicas returns the replicas, or an error if not all of them are ready.
func (s *soak) replicas(ctx context.Context) ([]replica, error) {
	var pods corev1.PodList
	if err := s.client.List(ctx, &pods, client.InNamespace(attribution.OperatorNamespace)); err != nil {
		return nil, err
	}
	ready := cluster.Pods.Ready()
	if len(ready) != len(pods.Items) {
		return nil, fmt.Errorf("%d of %d replicas are ready", len(ready), len(pods.Items))
	}
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	var replicas []replica
	for i, ports := range ready {
		r := replica{process: cluster.Pods.Process(pods.Items[i].Name), ports: ports}
		if err := r.readMetrics(ctx); err != nil {
			return nil, err
		}
		replicas = append(replicas, r)
	}
	return replicas, nil
}

func (r *replica) readMetrics(ctx context.Context) error {
	text, err := get(ctx, fmt.Sprintf("http://127.0.0.1:%d/metrics", r.ports.MetricsPort))
	if err != nil {
		return err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	r.metrics, err = parser.TextToMetricFamilies(bytes.NewReader(text))
	return err
}

// leads reports whether the replica is the leader.
func (r replica) leads() bool { return r.gauge("leader_election_master_status") == 1 }

// gauge returns the value of a metric without labels, or with one set of labels.
func (r replica) gauge(name string) float64 {
	family := r.metrics[name]
	if family == nil || len(family.Metric) == 0 {
		return 0
	}
	return family.Metric[0].GetGauge().GetValue()
}

// metricOf returns a metric of a namespace whose name starts with prefix; empty if there is
// none.
func (r replica) metricOf(prefix string) string {
	for name, family := range r.metrics {
		for _, metric := range family.Metric {
			for _, label := range metric.Label {
				if label.GetName() == "namespace" && strings.HasPrefix(label.GetValue(), prefix) {
					return name + " of " + label.GetValue()
				}
			}
		}
	}
	return ""
}

// pprofAddress matches the log line with the address of the profiles.
var pprofAddress = regexp.MustCompile(`"starting server" name="pprof" addr="([^"]+)"`)

// collectGarbage makes the replica collect its garbage. The second collection frees what
// pools kept after the first one. It keeps the profile of the heap next to the log, so that
// "go tool pprof -base" shows what has grown between two rounds.
func (r replica) collectGarbage(ctx context.Context, round int) error {
	log, err := os.ReadFile(r.process.Log)
	if err != nil {
		return err
	}
	lines := pprofAddress.FindAllSubmatch(log, -1)
	if len(lines) == 0 {
		return fmt.Errorf("%s has no address of the profiles", r.process.Log)
	}
	// All processes of a pod use the same log.
	address := lines[len(lines)-1][1]
	for range 2 {
		profile, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/heap?gc=1", address))
		if err != nil {
			return err
		}
		path := fmt.Sprintf("%s.%d.round-%d.heap", r.process.Log, r.process.PID(), round)
		if err := os.WriteFile(path, profile, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// get returns the body that a URL answers with. It uses a new connection, which adds nothing
// to the replica's open files later.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}
