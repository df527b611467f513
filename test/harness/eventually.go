// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Timeout is how long a test waits for what must come.
var Timeout = 60 * time.Second

// Eventually waits until the check returns an empty problem, and fails the test
// with the last one where it never does.
func Eventually(t testing.TB, check func() string) {
	t.Helper()
	EventuallyWithin(t, Timeout, check)
}

// EventuallyWithin is Eventually for what takes long.
func EventuallyWithin(t testing.TB, timeout time.Duration, check func() string) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %s", timeout, problem)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// WaitObserved waits until the operator has seen an error's spec, and returns it.
func (c *Cluster) WaitObserved(t testing.TB, namespace, name string) *joberrorv1.JobError {
	t.Helper()
	return c.WaitFor(t, namespace, name, func(*joberrorv1.JobError) bool { return true })
}

// WaitFor waits until the operator has seen an error's spec and the condition
// holds, and returns the error.
func (c *Cluster) WaitFor(t testing.TB, namespace, name string, holds func(*joberrorv1.JobError) bool) *joberrorv1.JobError {
	t.Helper()
	var je *joberrorv1.JobError
	Eventually(t, func() string {
		je = &joberrorv1.JobError{}
		if err := c.Client.Get(t.Context(), Key(namespace, name), je); err != nil {
			return err.Error()
		}
		if je.Status.ObservedGeneration != je.Generation {
			return name + " was not observed yet"
		}
		if !holds(je) {
			return name + " is not as it should be: " + describe(je)
		}
		return ""
	})
	return je
}

func describe(je *joberrorv1.JobError) string {
	text := "resolvedBy=" + je.Status.ResolvedBy
	for _, c := range je.Status.Conditions {
		text += " " + c.Type + "=" + string(c.Status) + "/" + c.Reason
	}
	for _, o := range je.OwnerReferences {
		text += " owner=" + o.Kind
	}
	return text
}

// Reason is the reason of a condition; empty where there is none.
func Reason(conditions []metav1.Condition, name string) string {
	if c := meta.FindStatusCondition(conditions, name); c != nil {
		return c.Reason
	}
	return ""
}

// WaitCompleted waits until an entry is complete and returns it.
func (c *Cluster) WaitCompleted(t testing.TB, namespace, name string) *joberrorv1.JobErrorResolution {
	t.Helper()
	entry := &joberrorv1.JobErrorResolution{}
	Eventually(t, func() string {
		if err := c.Client.Get(t.Context(), Key(namespace, name), entry); err != nil {
			return err.Error()
		}
		if !meta.IsStatusConditionTrue(entry.Status.Conditions, joberrorv1.ConditionComplete) {
			return "entry " + name + " is not complete"
		}
		return ""
	})
	return entry
}

// HasOwner tells whether an object has an owner of that UID.
func HasOwner(obj metav1.Object, uid types.UID) bool {
	return slices.ContainsFunc(obj.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == uid })
}
