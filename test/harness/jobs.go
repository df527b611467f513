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

// Errors returns the errors in a namespace.
func (c *Cluster) Errors(t testing.TB, namespace string) []joberrorv1.JobError {
	t.Helper()
	var list joberrorv1.JobErrorList
	if err := c.Client.List(t.Context(), &list, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// JobAndCode returns an error's Job and code as job/code.
func JobAndCode(je *joberrorv1.JobError) string { return je.Spec.JobID + "/" + je.Spec.Code }

// Code returns an error's code.
func Code(je *joberrorv1.JobError) string { return je.Spec.Code }

// Names applies name to each error and returns the sorted results.
func Names(jobErrors []joberrorv1.JobError, name func(*joberrorv1.JobError) string) []string {
	var names []string
	for i := range jobErrors {
		names = append(names, name(&jobErrors[i]))
	}
	slices.Sort(names)
	return names
}

// WaitErrors waits until the operator has observed all errors in a namespace and their names
// are exactly the wanted names. It returns the errors.
func (c *Cluster) WaitErrors(t testing.TB, namespace string, name func(*joberrorv1.JobError) string, want ...string) []joberrorv1.JobError {
	t.Helper()
	slices.Sort(want)
	var jobErrors []joberrorv1.JobError
	Eventually(t, func() string {
		jobErrors = c.Errors(t, namespace)
		if got := Names(jobErrors, name); !slices.Equal(got, want) {
			return fmt.Sprintf("errors = %v, want %v", got, want)
		}
		for _, je := range jobErrors {
			if je.Status.ObservedGeneration != je.Generation {
				return je.Name + " is not observed yet"
			}
		}
		return ""
	})
	return jobErrors
}

// WaitJobCondition waits until a condition of a Job is true.
func (c *Cluster) WaitJobCondition(t testing.TB, namespace, name string, conditionType batchv1.JobConditionType) {
	t.Helper()
	Eventually(t, func() string {
		for _, current := range Get(t, c.Client, namespace, name, &batchv1.Job{}).Status.Conditions {
			if current.Type == conditionType && current.Status == corev1.ConditionTrue {
				return ""
			}
		}
		return fmt.Sprintf("condition %s of Job %s is not true", conditionType, name)
	})
}
