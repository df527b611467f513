// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// createLarge creates the Job job with errors whose texts are as long as possible.
func createLarge(t *testing.T, ns string, count int) string {
	t.Helper()
	path := createJob(t, ns)
	for i := range count {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job", withSpec(func(s *joberrorv1.JobErrorSpec) {
			s.Message, s.Extracted, s.Generated = strings.Repeat("m", 32<<10), strings.Repeat("e", 16<<10), strings.Repeat("g", 16<<10)
		})))
	}
	return path
}

func TestListsLargeErrorsInSeveralAnswers(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const count = 80
	path := createLarge(t, ns, count)
	listed, next := map[string]bool{}, ""
	for answers := 0; answers == 0 || next != ""; answers++ {
		answer := harness.Do(t, cluster.Config(), http.MethodGet, path+"?limit=1000&continue="+next, "").Want(t, 200)
		if len(answer.Body) > 4<<20 {
			t.Errorf("answer has %d bytes, want at most 4 MiB", len(answer.Body))
		}
		for _, r := range answer.Records(t) {
			if listed[r.ID] || len(r.Message) != 32<<10 {
				t.Errorf("%s is listed twice, or without its message of %d bytes", r.ID, len(r.Message))
			}
			listed[r.ID] = true
		}
		if next = answer.Header.Get("Joberror-Continue"); next == "" && answers == 0 {
			t.Error("the first answer has no continue header, want more errors than 4 MiB hold")
		}
	}
	if len(listed) != count {
		t.Errorf("errors = %d, want %d", len(listed), count)
	}
}

// Clients send a request again after a timeout.
func TestEndpointSharesAResolution(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	const count, requests = 500, 20
	cluster.CreateMany(t, ns, "job", count)
	users := []string{"alice", "bob"}
	for _, user := range users {
		cluster.Grant(t, ns, user, "joberror-resolver")
	}
	answers := make(map[string][]*joberrorv1.JobErrorResolution)
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range requests {
		user := users[i/(requests-1)]
		group.Go(func() {
			jer := resolveUntilComplete(t, user, path).Resolution(t)
			mu.Lock()
			defer mu.Unlock()
			answers[user] = append(answers[user], jer)
		})
	}
	group.Wait()
	var stored joberrorv1.JobErrorResolutionList
	if err := cluster.Client.List(t.Context(), &stored, inNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	created := map[string]int{}
	for i := range stored.Items {
		created[stored.Items[i].Spec.RequestedBy]++
	}
	// Each replica may have created one before it knew of the other's.
	if created["alice"] < 1 || created["alice"] > 2 || created["bob"] > 1 {
		t.Errorf("resolutions = %v, want 1 or 2 of alice and at most 1 of bob", created)
	}
	names := map[string]int{}
	for _, jer := range answers["alice"] {
		if jer.Name == "" && jer.Status.Updated == 0 {
			// The request came when nothing was left to resolve.
			continue
		}
		names[jer.Name]++
		if jer.Spec.RequestedBy != "alice" || jer.Status.Matched != jer.Status.Updated+jer.Status.Unchanged || jer.Status.CompletedAt == nil {
			t.Errorf("answer = %+v, want a complete resolution of alice", jer)
		}
	}
	if len(names) > 2 || names[""] > 0 || len(answers["alice"]) != requests-1 {
		t.Errorf("answers to %d requests of alice = %v, want at most 2 resolutions", len(answers["alice"]), names)
	}
	t.Logf("%d requests made %v resolutions, with the answers %v", requests, created, names)
	for _, i := range []int{0, count / 2, count - 1} {
		cluster.WaitFor(t, ns, fmt.Sprintf("e-%04d", i), isResolved)
	}
}

// resolveUntilComplete sends the same request again while it is refused for the number of
// requests, or answered before the resolution is complete.
func resolveUntilComplete(t *testing.T, user, path string) harness.Response {
	t.Helper()
	var answer harness.Response
	harness.EventuallyWithin(t, 5*time.Minute, func() string {
		answer = harness.Do(t, cluster.User(t, user), http.MethodPut, path+"/resolve", `{"reason":"fixed"}`)
		if answer.Code == http.StatusTooManyRequests || answer.Code == http.StatusAccepted {
			return fmt.Sprintf("status code = %d", answer.Code)
		}
		return ""
	})
	return answer.Want(t, 200)
}

var heapInUse = regexp.MustCompile(`(?m)^go_memstats_heap_inuse_bytes (\S+)$`)

// heap returns the heap in use of the replica that uses most, in MiB.
func heap(t *testing.T, scraper string) float64 {
	t.Helper()
	most := 0.0
	for _, replica := range cluster.Pods.Ready() {
		_, body := getMetricsFrom(t, replica, scraper)
		match := heapInUse.FindStringSubmatch(body)
		if match == nil {
			t.Fatalf("the metrics lack the heap in use: %.300s", body)
		}
		bytes, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, bytes/(1<<20))
	}
	return most
}

// One namespace sends the most expensive requests there are, all at once. It takes no more
// memory than the budget, and the requests of another namespace are served.
func TestEndpointBoundsTheMemoryOfOneNamespace(t *testing.T) {
	t.Parallel()
	ns, other := cluster.Namespace(t), cluster.Namespace(t)
	path, otherPath := createLarge(t, ns, 40), createJob(t, other, "a")
	cluster.WaitObserved(t, other, "a")
	scraper := createToken(t, other, "prometheus")
	cluster.Kubectl(t, "create", "clusterrolebinding", other, "--clusterrole=joberror-metrics-reader", "--serviceaccount="+other+":prometheus")
	harness.Eventually(t, func() string {
		if code, body := getMetrics(t, scraper); code != http.StatusOK {
			return fmt.Sprintf("metrics: %d: %s", code, body)
		}
		return ""
	})
	large := strings.Repeat("<", 4000)
	requests := map[string]struct {
		method, path, body string
		codes              []int
	}{
		"lists of large errors": {"GET", path, "", []int{200, 429}},
		"empty records":         {"PUT", path + "/resolve", "[" + strings.Repeat("{},", 145_000) + "{}]", []int{200, 429}},
		"empty reports":         {"POST", path, "[" + strings.Repeat("{},", 145_000) + "{}]", []int{422, 429}},
		"large records":         {"PUT", path + "/resolve", "[" + strings.Repeat(`{"resolved":true,"message":"`+large+`"},`, 999) + "{}]", []int{200, 429}},
		"large reports":         {"POST", path + "?dryRun=All", "[" + strings.Repeat(`{"message":"`+large+`","x":1},`, 900) + "{}]", []int{422, 429}},
	}
	before, most := heap(t, scraper), 0.0
	counts := map[int]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for name, request := range requests {
		for range 20 {
			group.Go(func() {
				answer := harness.Do(t, cluster.Config(), request.method, request.path, request.body)
				if !slices.Contains(request.codes, answer.Code) || answer.Code == 429 && answer.Header.Get("Retry-After") == "" {
					t.Errorf("%s: status code = %d %v, want one of %v, and 429 with Retry-After: %.300s", name, answer.Code, answer.Header, request.codes, answer.Body)
				}
				mu.Lock()
				defer mu.Unlock()
				counts[answer.Code]++
			})
		}
	}
	for range 10 {
		harness.Do(t, cluster.Config(), http.MethodGet, otherPath, "").Want(t, 200)
		most = max(most, heap(t, scraper))
	}
	group.Wait()
	harness.Do(t, cluster.Config(), http.MethodPut, otherPath+"/resolve", "").Want(t, 200)
	t.Logf("status codes = %v, heap = %.0f MiB before and %.0f MiB at most", counts, before, most)
	// Half of the budget, and as much garbage again.
	if most-before > 2*64 {
		t.Errorf("heap grew from %.0f to %.0f MiB, want at most 128 MiB more", before, most)
	}
}
