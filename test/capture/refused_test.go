// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// awaitRefusal waits until one Event on a Job of a namespace says that its record is refused,
// and why.
func awaitRefusal(t *testing.T, ns, why string) {
	t.Helper()
	harness.Eventually(t, func() string {
		var list corev1.EventList
		if err := cluster.Client.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
			return err.Error()
		}
		refusals := slices.DeleteFunc(list.Items, func(e corev1.Event) bool { return e.Reason != "RecordRefused" })
		if len(refusals) != 1 {
			return fmt.Sprintf("%d Events say that a record is refused, want 1", len(refusals))
		}
		if e := refusals[0]; e.Type != corev1.EventTypeWarning || e.InvolvedObject.Kind != "Job" || !strings.Contains(e.Message, why) {
			t.Errorf("Event = %+v, want a warning on a Job that says %q", e, why)
		}
		return ""
	})
}

// Two Jobs wait for the same namespace, and the pod of one is gone by the time there is
// room for its record.
func TestRecordsWhatAQuotaRefusedOnceThereIsRoom(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	q := createQuota(t, ns, "count/joberrors.joberror.io", 0)
	for _, name := range []string{"first", "second"} {
		harness.Create(t, cluster.Client, harness.Job(ns, name, harness.Failing("3")))
		cluster.WaitJobCondition(t, ns, name, batchv1.JobFailed)
	}
	awaitRefusal(t, ns, "exceeded quota: nothing-left")
	cluster.Kubectl(t, "delete", "job", "second", "-n", ns)
	deleteQuota(t, q)
	cluster.WaitErrors(t, ns, harness.JobAndCode, "first/BackoffLimitExceeded", "first/ExitCode:3", "second/BackoffLimitExceeded", "second/ExitCode:3")
}

// By default, a policy answers 422, as the schema does for a record that never becomes valid.
func TestRecordsWhatAPolicyRefusedOnceItIsGone(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	policy := refuseErrors(t, ns)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	awaitRefusal(t, ns, "not in this namespace")
	if err := cluster.Client.Delete(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

// refuseErrors adds a policy that refuses all JobErrors of a namespace, and waits until it
// applies.
func refuseErrors(t *testing.T, ns string) *admissionregistrationv1.ValidatingAdmissionPolicy {
	t.Helper()
	everything := &admissionregistrationv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}},
		ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule: admissionregistrationv1.Rule{
				APIGroups: []string{joberrorv1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"joberrors"},
			},
		}}},
	}
	policy := harness.Create(t, cluster.Client, &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: ptr.To(admissionregistrationv1.Fail), MatchConstraints: everything,
			Validations: []admissionregistrationv1.Validation{{Expression: "false", Message: "not in this namespace"}},
		},
	})
	harness.Create(t, cluster.Client, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: ns, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	})
	harness.Eventually(t, func() string {
		err := cluster.Client.Create(t.Context(), harness.JobError(ns, "probe", "job"), client.DryRunAll)
		if status := apierrors.APIStatus(nil); !errors.As(err, &status) || !strings.Contains(err.Error(), "not in this namespace") {
			return fmt.Sprintf("the policy does not apply yet: %v", err)
		}
		return ""
	})
	return policy
}
