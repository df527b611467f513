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

// Timeout limits how long a test waits for an expected change.
var Timeout = 60 * time.Second

// Eventually repeats the check until it returns no problem. If that takes longer than
// Timeout, it fails the test with the last problem.
func Eventually(t testing.TB, check func() string) {
	t.Helper()
	EventuallyWithin(t, Timeout, check)
}

// EventuallyWithin does the same as Eventually with another timeout.
func EventuallyWithin(t testing.TB, timeout time.Duration, check func() string) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("timed out after %s: %s", timeout, problem)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// WaitObserved waits until the operator has observed an error's current generation, and
// returns the error.
func (c *Cluster) WaitObserved(t testing.TB, namespace, name string) *joberrorv1.JobError {
	t.Helper()
	return c.WaitFor(t, namespace, name, func(*joberrorv1.JobError) bool { return true })
}

// WaitFor waits until the operator has observed an error's current generation and the
// error matches, and returns the error.
func (c *Cluster) WaitFor(t testing.TB, namespace, name string, matches func(*joberrorv1.JobError) bool) *joberrorv1.JobError {
	t.Helper()
	var je *joberrorv1.JobError
	Eventually(t, func() string {
		je = &joberrorv1.JobError{}
		if err := c.Client.Get(t.Context(), Key(namespace, name), je); err != nil {
			return err.Error()
		}
		if je.Status.ObservedGeneration != je.Generation {
			return name + " is not observed yet"
		}
		if !matches(je) {
			return name + " does not match: " + describe(je)
		}
		return ""
	})
	return je
}

// describe summarizes the resolution, the conditions and the owners of an error.
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

// Reason returns the reason of the condition with this type, or an empty string.
func Reason(conditions []metav1.Condition, conditionType string) string {
	if c := meta.FindStatusCondition(conditions, conditionType); c != nil {
		return c.Reason
	}
	return ""
}

// WaitCompleted waits until a resolution is complete, and returns it.
func (c *Cluster) WaitCompleted(t testing.TB, namespace, name string) *joberrorv1.JobErrorResolution {
	t.Helper()
	jer := &joberrorv1.JobErrorResolution{}
	Eventually(t, func() string {
		if err := c.Client.Get(t.Context(), Key(namespace, name), jer); err != nil {
			return err.Error()
		}
		if !meta.IsStatusConditionTrue(jer.Status.Conditions, joberrorv1.ConditionComplete) {
			return "resolution " + name + " is not complete"
		}
		return ""
	})
	return jer
}

// OwnerKinds returns the kinds of an error's owners, sorted.
func OwnerKinds(je *joberrorv1.JobError) []string {
	var kinds []string
	for _, o := range je.OwnerReferences {
		kinds = append(kinds, o.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

// HasOwner reports whether an object has an owner with this UID.
func HasOwner(obj metav1.Object, uid types.UID) bool {
	return slices.ContainsFunc(obj.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == uid })
}
