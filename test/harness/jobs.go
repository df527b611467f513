// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Errors are the errors in a namespace.
func (c *Cluster) Errors(t testing.TB, namespace string) []joberrorv1.JobError {
	t.Helper()
	var list joberrorv1.JobErrorList
	if err := c.Client.List(t.Context(), &list, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// JobAndCode is what an error is of, as job/code.
func JobAndCode(je *joberrorv1.JobError) string { return je.Spec.JobID + "/" + je.Spec.Code }

// Code is that of an error.
func Code(je *joberrorv1.JobError) string { return je.Spec.Code }

// Names names errors, sorted.
func Names(errors []joberrorv1.JobError, name func(*joberrorv1.JobError) string) []string {
	var names []string
	for i := range errors {
		names = append(names, name(&errors[i]))
	}
	slices.Sort(names)
	return names
}

// WaitErrors waits until the operator has seen all errors in a namespace, and they are
// those of these names and no others.
func (c *Cluster) WaitErrors(t testing.TB, namespace string, name func(*joberrorv1.JobError) string, want ...string) []joberrorv1.JobError {
	t.Helper()
	slices.Sort(want)
	var errors []joberrorv1.JobError
	Eventually(t, func() string {
		errors = c.Errors(t, namespace)
		if got := Names(errors, name); !slices.Equal(got, want) {
			return fmt.Sprintf("there are %v, want %v", got, want)
		}
		for _, je := range errors {
			if je.Status.ObservedGeneration != je.Generation {
				return je.Name + " was not observed yet"
			}
		}
		return ""
	})
	return errors
}

// WaitJobCondition waits until a Job has a condition.
func (c *Cluster) WaitJobCondition(t testing.TB, namespace, name string, condition batchv1.JobConditionType) {
	t.Helper()
	Eventually(t, func() string {
		for _, has := range Get(t, c.Client, namespace, name, &batchv1.Job{}).Status.Conditions {
			if has.Type == condition && has.Status == corev1.ConditionTrue {
				return ""
			}
		}
		return fmt.Sprintf("Job %s is not %s", name, condition)
	})
}
