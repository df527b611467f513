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
	// patience is how long a round may take with all that is killed in it.
	patience = 5 * time.Minute
	// mostMisses is how many rounds more than kills there may be: a kill counts
	// where it meets an entry at work.
	mostMisses = 50
)

// rounds are bulk requests about the same errors, each of which turns them
// round: resolved, reopened, resolved.
type rounds struct {
	namespace string
	done      int
	// generations are those of the errors before the first round.
	generations map[string]int64
	// lasted is how long the first entry took, which nobody disturbed.
	lasted time.Duration
	// struck counts the kills that met an entry that was not complete.
	struck int
}

// prepare reports the errors and lets a first round run undisturbed.
func prepare(t *testing.T) *rounds {
	t.Helper()
	r := &rounds{namespace: cluster.Namespace(t)}
	cluster.CreateMany(t, r.namespace, job, *errors)
	r.await(t, func(je *joberrorv1.JobError) bool { return true })
	r.generations = map[string]int64{}
	for _, je := range r.list(t) {
		r.generations[je.Name] = je.Generation
	}
	r.round(t, func(*joberrorv1.JobErrorResolution) {})
	return r
}

// round makes a bulk request, lets something happen meanwhile, and checks that
// in the end every error was set by it, once.
func (r *rounds) round(t *testing.T, meanwhile func(*joberrorv1.JobErrorResolution)) {
	t.Helper()
	r.done++
	wants := r.done%2 == 1
	entry := harness.Resolution(r.namespace, fmt.Sprintf("round-%d", r.done), job)
	entry.Spec.Resolved, entry.Spec.RequestedBy = ptr.To(wants), "admin"
	began := time.Now()
	harness.Create(t, cluster.Client, entry)
	meanwhile(entry)
	entry = r.complete(t, entry)
	if r.done == 1 {
		r.lasted = time.Since(began)
	}
	r.await(t, func(je *joberrorv1.JobError) bool { return je.Spec.Resolved == wants })
	if s := entry.Status; int(s.Matched) != *errors || int(s.Updated) != *errors || s.Unchanged != 0 || s.Failed != 0 || len(s.Failures) > 0 {
		t.Errorf("round %d: matched %d, updated %d, unchanged %d, failed %d %v; want %d matched and updated",
			r.done, s.Matched, s.Updated, s.Unchanged, s.Failed, s.Failures, *errors)
	}
	for _, je := range r.list(t) {
		mark, generation := attribution.Of(&je), r.generations[je.Name]+int64(r.done)
		if je.Generation != generation || mark.Resolution != (attribution.Resolution{Name: entry.Name, UID: entry.UID}) {
			t.Errorf("round %d: %s has generation %d, want %d, and was set by %v", r.done, je.Name, je.Generation, generation, mark.Resolution)
		}
		is := meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
		by, with := "", ""
		if wants {
			by, with = "admin", entry.Name
		}
		if is != wants || je.Status.ResolvedBy != by || je.Status.Resolution != with {
			t.Errorf("round %d: %s has the status %+v", r.done, je.Name, je.Status)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// await waits until the operator has seen every error's spec and the condition
// holds for each.
func (r *rounds) await(t *testing.T, holds func(*joberrorv1.JobError) bool) {
	t.Helper()
	r.eventually(t, func() string {
		as := 0
		list, err := r.read(t.Context())
		if err != nil {
			return err.Error()
		}
		for i := range list {
			if je := &list[i]; je.Status.ObservedGeneration == je.Generation && holds(je) {
				as++
			}
		}
		if as < *errors {
			return fmt.Sprintf("%d of %d errors are as they should be", as, *errors)
		}
		return ""
	})
}

func (r *rounds) complete(t *testing.T, entry *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	t.Helper()
	r.eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(entry), entry); err != nil {
			return err.Error()
		}
		if !meta.IsStatusConditionTrue(entry.Status.Conditions, joberrorv1.ConditionComplete) {
			return entry.Name + " is not complete"
		}
		return ""
	})
	return entry
}

func (r *rounds) eventually(t *testing.T, check func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("round %d: after %s: %s", r.done, patience, problem)
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

// moment waits for a random moment of a round, and notes whether the entry was
// still being worked through then.
func (r *rounds) moment(t *testing.T, entry *joberrorv1.JobErrorResolution) {
	t.Helper()
	if r.done > r.struck+mostMisses {
		t.Fatalf("%d kills in %d rounds met an entry at work; nothing is tested", r.struck, r.done)
	}
	time.Sleep(time.Duration(random.Int64N(int64(r.lasted))))
	now := &joberrorv1.JobErrorResolution{}
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(entry), now); err != nil {
		t.Fatal(err)
	}
	if now.Status.CompletedAt == nil {
		r.struck++
	}
}

// verify checks what can only be told at the end: how often the operator wrote.
func (r *rounds) verify(t *testing.T, writesAreKnown bool) {
	t.Helper()
	t.Logf("%d rounds, %d kills met an entry at work", r.done, r.struck)
	if !writesAreKnown {
		return
	}
	patches := map[string]int{}
	for event := range cluster.Audit(t) {
		if o := event.ObjectRef; event.User.Username == attribution.OperatorUser && o != nil && o.Namespace == r.namespace &&
			o.Resource == "joberrors" && event.Verb == "patch" && event.ResponseStatus.Code == 200 {
			patches[o.Subresource]++
		}
	}
	// A few patches that the API server had not answered when the operator was
	// killed are not among these, so there may be fewer.
	most := r.done * *errors
	mostOfStatus := most + *errors
	for name, generation := range r.generations {
		if generation > 1 {
			// The webhook was too slow to fill it in.
			t.Logf("%s began with generation %d", name, generation)
			most++
			mostOfStatus++
		}
	}
	if patches[""] == 0 || patches[""] > most || patches["status"] == 0 || patches["status"] > mostOfStatus {
		t.Errorf("the operator patched errors %d times and their status %d times; want at most %d and %d",
			patches[""], patches["status"], most, mostOfStatus)
	}
}
