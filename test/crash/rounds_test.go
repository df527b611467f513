// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

const job = "nightly"

const (
	// roundTimeout limits how long a round may take, with all its kills.
	roundTimeout = 5 * time.Minute
	// maxMisses limits how many more rounds than hits there may be. A kill is a hit if
	// it interrupts a resolution.
	maxMisses = 50
)

// rounds sends bulk requests about the same errors. Each round flips them: resolved,
// reopened, resolved.
type rounds struct {
	namespace string
	// number counts the rounds, and includes the current one.
	number int
	// generations holds the generation of each error before the first round.
	generations map[string]int64
	// duration is how long the first resolution took, without kills.
	duration time.Duration
	// hits counts the kills that interrupted a resolution.
	hits int
}

// prepare reports the errors and runs a first round without kills.
func prepare(t *testing.T) *rounds {
	t.Helper()
	r := &rounds{namespace: cluster.Namespace(t)}
	cluster.CreateMany(t, r.namespace, job, *errorCount)
	r.await(t, func(je *joberrorv1.JobError) bool { return true })
	r.generations = map[string]int64{}
	for _, je := range r.list(t) {
		r.generations[je.Name] = je.Generation
	}
	r.round(t, func(*joberrorv1.JobErrorResolution) {})
	return r
}

// round sends a bulk request, calls interrupt while it runs, and checks that the request
// set every error exactly once.
func (r *rounds) round(t *testing.T, interrupt func(*joberrorv1.JobErrorResolution)) {
	t.Helper()
	r.number++
	resolved := r.number%2 == 1
	jer := harness.Resolution(r.namespace, fmt.Sprintf("round-%d", r.number), job)
	jer.Spec.Resolved, jer.Spec.RequestedBy = ptr.To(resolved), "admin"
	began := time.Now()
	harness.Create(t, cluster.Client, jer)
	interrupt(jer)
	jer = r.awaitComplete(t, jer)
	if r.number == 1 {
		r.duration = time.Since(began)
	}
	r.await(t, func(je *joberrorv1.JobError) bool { return je.Spec.Resolved == resolved })
	if s := jer.Status; int(s.Matched) != *errorCount || int(s.Updated) != *errorCount || s.Unchanged != 0 || s.Failed != 0 || len(s.Failures) > 0 {
		t.Errorf("round %d: matched %d, updated %d, unchanged %d, failed %d %v; want %d matched and updated",
			r.number, s.Matched, s.Updated, s.Unchanged, s.Failed, s.Failures, *errorCount)
	}
	for _, je := range r.list(t) {
		mark, generation := attribution.MarkOf(&je), r.generations[je.Name]+int64(r.number)
		if je.Generation != generation || mark.Resolution != (attribution.Resolution{Name: jer.Name, UID: jer.UID}) {
			t.Errorf("round %d: %s has generation %d, set by %v; want generation %d, set by %s", r.number, je.Name, je.Generation, mark.Resolution, generation, jer.Name)
		}
		isResolved := meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
		resolvedBy, resolution := "", ""
		if resolved {
			resolvedBy, resolution = "admin", jer.Name
		}
		if isResolved != resolved || je.Status.ResolvedBy != resolvedBy || je.Status.Resolution != resolution {
			t.Errorf("round %d: status of %s = %+v; want resolved %t by %q through %q", r.number, je.Name, je.Status, resolved, resolvedBy, resolution)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// await waits until the operator has observed every error and each of them matches.
func (r *rounds) await(t *testing.T, matches func(*joberrorv1.JobError) bool) {
	t.Helper()
	r.eventually(t, func() string {
		matching := 0
		list, err := r.read(t.Context())
		if err != nil {
			return err.Error()
		}
		for i := range list {
			if je := &list[i]; je.Status.ObservedGeneration == je.Generation && matches(je) {
				matching++
			}
		}
		if matching < *errorCount {
			return fmt.Sprintf("%d of %d errors match", matching, *errorCount)
		}
		return ""
	})
}

// awaitComplete waits until a resolution is complete.
func (r *rounds) awaitComplete(t *testing.T, jer *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	t.Helper()
	r.eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(jer), jer); err != nil {
			return err.Error()
		}
		if !meta.IsStatusConditionTrue(jer.Status.Conditions, joberrorv1.ConditionComplete) {
			return jer.Name + " is not complete"
		}
		return ""
	})
	return jer
}

// eventually calls check until it returns no problem.
func (r *rounds) eventually(t *testing.T, check func() string) {
	t.Helper()
	for deadline := time.Now().Add(roundTimeout); ; time.Sleep(200 * time.Millisecond) {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("round %d: after %s: %s", r.number, roundTimeout, problem)
		}
	}
}

func (r *rounds) read(ctx context.Context) ([]joberrorv1.JobError, error) {
	var list joberrorv1.JobErrorList
	err := cluster.Client.List(ctx, &list, client.InNamespace(r.namespace))
	return list.Items, err
}

func (r *rounds) list(t *testing.T) []joberrorv1.JobError {
	t.Helper()
	list, err := r.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// moment waits for a random moment of a round, and counts a hit if the resolution is not
// complete then.
func (r *rounds) moment(t *testing.T, jer *joberrorv1.JobErrorResolution) {
	t.Helper()
	if r.number > r.hits+maxMisses {
		t.Fatalf("only %d kills in %d rounds interrupted a resolution, so nothing is tested", r.hits, r.number)
	}
	time.Sleep(time.Duration(random.Int64N(int64(r.duration))))
	current := &joberrorv1.JobErrorResolution{}
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(jer), current); err != nil {
		t.Fatal(err)
	}
	if current.Status.CompletedAt == nil {
		r.hits++
	}
}

// verify checks how often the operator wrote, which only the whole audit log shows.
func (r *rounds) verify(t *testing.T, auditIsComplete bool) {
	t.Helper()
	t.Logf("%d rounds, %d kills interrupted a resolution", r.number, r.hits)
	if !auditIsComplete {
		return
	}
	patches := map[string]int{}
	for event := range cluster.Audit(t) {
		if o := event.ObjectRef; event.User.Username == attribution.OperatorUser && o != nil && o.Namespace == r.namespace &&
			o.Resource == "joberrors" && event.Verb == "patch" && event.ResponseStatus.Code == 200 {
			patches[o.Subresource]++
		}
	}
	// The log may lack patches that the API server had not answered when the operator
	// was killed, so there may be fewer.
	maxPatches := r.number * *errorCount
	maxStatusPatches := maxPatches + *errorCount
	for name, generation := range r.generations {
		if generation > 1 {
			// The webhook was too slow, so the controller filled the spec in.
			t.Logf("%s starts with generation %d", name, generation)
			maxPatches++
			maxStatusPatches++
		}
	}
	if patches[""] == 0 || patches[""] > maxPatches || patches["status"] == 0 || patches["status"] > maxStatusPatches {
		t.Errorf("the operator patched errors %d times and their status %d times; want at most %d and %d",
			patches[""], patches["status"], maxPatches, maxStatusPatches)
	}
}
