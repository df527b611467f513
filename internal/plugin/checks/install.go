// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Names of what the manifests install.
const (
	operatorLabel = "app.kubernetes.io/name=joberror-operator"
	leaseName     = "joberror-operator"
)

// install says how to install what is missing.
const install = "install the operator (docs/operations.md)"

// crdNames holds the custom resource definitions that the manifests install.
var crdNames = []string{"joberrors.joberror.io", "joberrorresolutions.joberror.io", "joberrorretries.joberror.io"}

// crds decides whether the custom resources are served. Discovery shows it to every user; the
// definitions, if the user may read them, show why not.
func crds(f *Facts, _ time.Time) (Status, string) {
	for _, name := range crdNames {
		crd := f.CRDs[name]
		if crd.Err == nil && crd.Value != nil {
			if crd.Value.DeletionTimestamp != nil {
				return Failed, name + " is being deleted, and all its objects with it: install the operator again afterward"
			}
			if established, why := condition(crd.Value, apiextensionsv1.Established); !established {
				return Failed, fmt.Sprintf("%s is not established: %s", name, cmp.Or(why, "its status does not say why"))
			}
			continue
		}
		if status, message := unread(name, crd.Err, install); status == Failed {
			return status, message
		}
	}
	if f.Served.Err != nil {
		return unread("the resources of joberror.io/v1", f.Served.Err, install)
	}
	for _, name := range crdNames {
		resource, _, _ := strings.Cut(name, ".")
		if !slices.Contains(f.Served.Value, resource) {
			return Failed, fmt.Sprintf("the API server does not serve %s: %s", resource, install)
		}
	}
	return OK, "the API server serves joberrors, joberrorresolutions and joberrorretries"
}

// condition returns whether a condition is true, and its message.
func condition(crd *apiextensionsv1.CustomResourceDefinition, kind apiextensionsv1.CustomResourceDefinitionConditionType) (holds bool, message string) {
	for _, c := range crd.Status.Conditions {
		if c.Type == kind {
			return c.Status == apiextensionsv1.ConditionTrue, c.Message
		}
	}
	return false, ""
}

// operator decides whether the operator's Deployment is ready.
func operator(f *Facts, _ time.Time) (Status, string) {
	if f.Deployments.Err != nil {
		return unread("the Deployments in namespace "+f.OperatorNamespace, f.Deployments.Err, install)
	}
	switch len(f.Deployments.Value) {
	case 0:
		message := fmt.Sprintf("namespace %s has no Deployment with the label %s", f.OperatorNamespace, operatorLabel)
		if f.Aggregated.Err == nil {
			return Warning, message + ", but the operator answers: it is in another namespace (--operator-namespace) or outside the cluster"
		}
		return Failed, message + ": " + install
	case 1:
		return f.deployment(&f.Deployments.Value[0])
	default:
		return Warning, fmt.Sprintf("namespace %s has more than one operator, which record the same errors: delete all but one of the Deployments %s",
			f.OperatorNamespace, strings.Join(names(f.Deployments.Value), ", "))
	}
}

func (f *Facts) deployment(d *appsv1.Deployment) (Status, string) {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	state := fmt.Sprintf("%d of %d replicas of Deployment %s are ready", d.Status.ReadyReplicas, want, d.Name)
	look := "; look at " + f.Hint("kubectl", "describe", "pods", "-n", d.Namespace, "-l", operatorLabel)
	switch {
	case want == 0:
		return Failed, fmt.Sprintf("Deployment %s is scaled to 0: %s", d.Name, f.Hint("kubectl", "scale", "-n", d.Namespace, "deployment/"+d.Name, "--replicas=2"))
	case d.Status.ReadyReplicas == 0:
		return Failed, state + look
	case d.Status.ReadyReplicas < want:
		return Warning, state + look
	case d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas < want:
		return Warning, state + ", but a rollout is in progress"
	}
	return OK, state
}

// leaseGrace is how long after its end a Lease may still be renewed. Another replica takes
// over within this time.
const leaseGrace = 15 * time.Second

// leader decides whether a replica leads. Only the leader records and resolves errors.
func leader(f *Facts, now time.Time) (Status, string) {
	what := fmt.Sprintf("Lease %s in namespace %s", leaseName, f.OperatorNamespace)
	if f.Lease.Err != nil {
		status, message := unread(what, f.Lease.Err, "no replica has led yet; look at the operator's log")
		if status == Failed && f.Aggregated.Err == nil && f.Deployments.Err == nil && len(f.Deployments.Value) == 0 {
			return Unknown, message + ", or the operator runs without --leader-elect"
		}
		return status, message
	}
	spec := f.Lease.Value.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return Failed, "no replica leads: nobody holds " + what + ", so no error is recorded or resolved; look at the operator's pods and log"
	}
	age := now.Sub(spec.RenewTime.Time).Round(time.Second)
	if age > time.Duration(*spec.LeaseDurationSeconds)*time.Second+leaseGrace {
		return Failed, fmt.Sprintf("no replica leads: %s last renewed %s %s ago, so no error is recorded or resolved; look at the operator's pods and log",
			*spec.HolderIdentity, what, age)
	}
	return OK, *spec.HolderIdentity + " leads"
}
