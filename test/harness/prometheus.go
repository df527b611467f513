// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"joberror.io/operator/hack/controlplane"
)

// Monitor is a Prometheus or an Alertmanager that listens on loopback.
type Monitor struct {
	*controlplane.Process
	// URL is the address of its API, without a slash at the end.
	URL string
}

// Sample is a series of the result of a query, with its value.
type Sample struct {
	Labels map[string]string
	Value  string
}

// Asset returns the path of a program that hack/assets built for the tests, such as promtool.
func Asset(name string) string { return filepath.Join(Root(), "bin", "assets", name) }

// StartPrometheus starts a Prometheus with the text of a configuration, waits until it is ready,
// and stops it at the end of the test. Files that the configuration names need absolute paths.
func StartPrometheus(t testing.TB, config string, flags ...string) *Monitor {
	t.Helper()
	return startMonitor(t, "prometheus", config, slices.Concat([]string{"--storage.tsdb.path=" + t.TempDir()}, flags)...)
}

// StartAlertmanager does the same as StartPrometheus with an Alertmanager.
func StartAlertmanager(t testing.TB, config string, flags ...string) *Monitor {
	t.Helper()
	return startMonitor(t, "alertmanager", config, slices.Concat([]string{"--storage.path=" + t.TempDir(), "--cluster.listen-address="}, flags)...)
}

func startMonitor(t testing.TB, name, config string, flags ...string) *Monitor {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := controlplane.FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	args := slices.Concat([]string{"--config.file=" + file, "--web.listen-address=" + address}, flags)
	process, err := controlplane.StartProcess(name, dir, Asset(name), args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log, err := os.ReadFile(process.Log)
			t.Logf("the log of %s (%v):\n%s", name, err, log)
		}
	})
	m := &Monitor{Process: process, URL: "http://" + address}
	Eventually(t, func() string {
		if err := process.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := m.get("/-/ready"); err != nil {
			return err.Error()
		}
		return ""
	})
	return m
}

// Query runs an instant query on a Prometheus, and returns the series of its result.
func (m *Monitor) Query(t testing.TB, expression string) []Sample {
	t.Helper()
	body, err := m.get("/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("parse the result of %s: %v", expression, err)
	}
	if answer.Data.ResultType != "vector" {
		t.Fatalf("the result of %s is a %s, want a vector", expression, answer.Data.ResultType)
	}
	var samples []Sample
	for _, series := range answer.Data.Result {
		samples = append(samples, Sample{Labels: series.Metric, Value: fmt.Sprint(series.Value[1])})
	}
	return samples
}

// LabelValues returns the values of a label of the series that a selector selects.
func (m *Monitor) LabelValues(t testing.TB, label, selector string) []string {
	t.Helper()
	body, err := m.get("/api/v1/label/" + label + "/values?match[]=" + url.QueryEscape(selector))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Data []string }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("parse the values of %s: %v", label, err)
	}
	return answer.Data
}

func (m *Monitor) get(path string) ([]byte, error) {
	response, err := http.Get(m.URL + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, response.Status, body)
	}
	return body, err
}

// Promtool runs promtool on files in a directory and returns its output.
func Promtool(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return runTool(t, dir, "promtool", args...)
}

// Amtool runs amtool on files in a directory and returns its output.
func Amtool(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return runTool(t, dir, "amtool", args...)
}

func runTool(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Asset(name), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
