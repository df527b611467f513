// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package attribution keeps, on the JobError itself, who last set
// spec.resolved. The mark is made where the user is known, at admission or by
// the operator for a caller that it authenticated, and read by the reconciler.
package attribution

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// OperatorUser is the user that the operator runs as: the one that may mark a
// change as somebody else's. The ValidatingAdmissionPolicies under
// config/admission name it too, with its namespace.
const (
	OperatorNamespace = "joberror-system"
	OperatorUser      = "system:serviceaccount:" + OperatorNamespace + ":joberror-operator"
)

// FieldManager is the name under which the operator writes, so that a GitOps
// tool that owns other fields never fights it.
const FieldManager = "joberror-operator"

// Mark tells who set spec.resolved.
type Mark struct {
	// By is the authenticated user; empty where it is not known.
	By string
	// Generation is the one that the change led to.
	Generation int64
	// Resolution is the JobErrorResolution that made the change, if any.
	Resolution Resolution
	// Cause is why the operator made the change by itself, if it did.
	Cause Cause
}

// Cause is what happened that made the operator set spec.resolved by itself.
type Cause struct {
	// Reason is the one that the condition Resolved gives for it.
	Reason string
	// Name is that of the Job or the pod that it happened to.
	Name string
}

// ReportedAgain is the Reason of a Cause if a record was reported again after it was
// resolved. The Name is that of the container that reported it. It is empty for a
// request, and the mark has the user.
const ReportedAgain = "ReportedAgain"

// String is the form in which it stands in the annotation.
func (c Cause) String() string {
	if c.Reason == "" {
		return ""
	}
	return c.Reason + "/" + c.Name
}

// Resolution tells one JobErrorResolution from a later one of the same name.
type Resolution struct {
	Name string
	UID  types.UID
}

// String is the form in which it stands in the annotation.
func (r Resolution) String() string {
	if r.Name == "" {
		return ""
	}
	return r.Name + "/" + string(r.UID)
}

// Of reads the mark of an object. An unreadable one is no mark.
func Of(obj metav1.Object) Mark {
	annotations := obj.GetAnnotations()
	generation, err := strconv.ParseInt(annotations[joberrorv1.AnnotationResolvedGeneration], 10, 64)
	if err != nil {
		return Mark{}
	}
	return Mark{
		By:         annotations[joberrorv1.AnnotationResolvedBy],
		Generation: generation,
		Resolution: parseResolution(annotations[joberrorv1.AnnotationResolution]),
		Cause:      parseCause(annotations[joberrorv1.AnnotationCause]),
	}
}

// Name is the name that an object's annotations carry, whether or not they are
// a whole mark.
func Name(obj metav1.Object) string { return obj.GetAnnotations()[joberrorv1.AnnotationResolvedBy] }

func parseResolution(value string) Resolution {
	name, uid, _ := strings.Cut(value, "/")
	return Resolution{Name: name, UID: types.UID(uid)}
}

func parseCause(value string) Cause {
	reason, name, _ := strings.Cut(value, "/")
	return Cause{Reason: reason, Name: name}
}

// Put writes the mark onto an object, in place of an earlier one.
func (m Mark) Put(obj metav1.Object) {
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	set := func(key, value string) {
		if value == "" {
			delete(annotations, key)
			return
		}
		annotations[key] = value
	}
	set(joberrorv1.AnnotationResolvedBy, m.By)
	generation := ""
	if m.Generation > 0 {
		generation = strconv.FormatInt(m.Generation, 10)
	}
	set(joberrorv1.AnnotationResolvedGeneration, generation)
	set(joberrorv1.AnnotationResolution, m.Resolution.String())
	set(joberrorv1.AnnotationCause, m.Cause.String())
	obj.SetAnnotations(annotations)
}

// Carry copies the annotations of a mark from one object to another as they
// stand, whole mark or not.
func Carry(from, to metav1.Object) {
	for _, key := range []string{joberrorv1.AnnotationResolvedBy, joberrorv1.AnnotationResolvedGeneration, joberrorv1.AnnotationResolution, joberrorv1.AnnotationCause} {
		if value, ok := from.GetAnnotations()[key]; ok {
			annotations := to.GetAnnotations()
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[key] = value
			to.SetAnnotations(annotations)
		}
	}
}

// Fresh tells whether the mark belongs to a change that came after the
// generation observed, in an object that has now reached the other generation.
// A change that was made while admission was down leaves an older mark behind.
func (m Mark) Fresh(observed, now int64) bool {
	return observed < m.Generation && m.Generation <= now
}
