// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package attribution records, in a JobError's annotations, which user last set
// spec.resolved. The webhook writes this mark at admission; the operator writes it for a
// caller that it authenticated. The reconciler reads it.
package attribution

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// OperatorUser is the user that the operator runs as. Only this user may mark a change
// with another user's name. The policies and webhooks under config contain the user and the
// namespace too.
const (
	OperatorNamespace = "joberror-system"
	OperatorUser      = "system:serviceaccount:" + OperatorNamespace + ":joberror-operator"
)

// FieldManager is the field manager of the operator's writes. A GitOps tool that owns
// other fields then never conflicts with the operator.
const FieldManager = "joberror-operator"

// Mark records who set spec.resolved.
type Mark struct {
	// By is the authenticated user; empty if unknown.
	By string
	// Generation is the JobError's generation after the change.
	Generation int64
	// Resolution is the JobErrorResolution that made the change, if any.
	Resolution Resolution
	// Cause is set if the operator made the change automatically.
	Cause Cause
}

// Cause is the reason for which the operator set spec.resolved automatically.
type Cause struct {
	// Reason is the reason of the condition Resolved.
	Reason string
	// Name is the Job, the pod or the container that caused the change.
	Name string
}

// Reasons of a Cause that reopens a resolved error.
const (
	// FailedAgain means that the captured failure happened again.
	FailedAgain = "FailedAgain"
	// ReportedAgain means that the record was reported again. Name is the container that
	// reported it. After a request, Name is empty and the mark has the user.
	ReportedAgain = "ReportedAgain"
)

// String returns the annotation's value.
func (c Cause) String() string {
	if c.Reason == "" {
		return ""
	}
	return c.Reason + "/" + c.Name
}

// Resolution identifies a JobErrorResolution. The UID distinguishes it from a later one
// with the same name.
type Resolution struct {
	Name string
	UID  types.UID
}

// String returns the annotation's value.
func (r Resolution) String() string {
	if r.Name == "" {
		return ""
	}
	return r.Name + "/" + string(r.UID)
}

// MarkOf returns the mark of an object. It returns the zero Mark if the annotations have
// no valid generation.
func MarkOf(obj metav1.Object) Mark {
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

// ResolvedBy returns the user in an object's annotations, even if the rest of the mark is
// missing or invalid.
func ResolvedBy(obj metav1.Object) string {
	return obj.GetAnnotations()[joberrorv1.AnnotationResolvedBy]
}

func parseResolution(value string) Resolution {
	name, uid, _ := strings.Cut(value, "/")
	return Resolution{Name: name, UID: types.UID(uid)}
}

func parseCause(value string) Cause {
	reason, name, _ := strings.Cut(value, "/")
	return Cause{Reason: reason, Name: name}
}

// Put writes the mark to an object and replaces an earlier mark.
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

// marks holds the annotations of a mark.
var marks = []string{joberrorv1.AnnotationResolvedBy, joberrorv1.AnnotationResolvedGeneration, joberrorv1.AnnotationResolution, joberrorv1.AnnotationCause}

// SetGeneration makes the mark of an object belong to a generation. It does nothing if the
// object has no annotation of a mark.
func SetGeneration(obj metav1.Object, generation int64) {
	annotations := obj.GetAnnotations()
	if slices.ContainsFunc(marks, func(key string) bool { return annotations[key] != "" }) {
		annotations[joberrorv1.AnnotationResolvedGeneration] = strconv.FormatInt(generation, 10)
	}
}

// CopyMark copies the annotations of a mark from one object to another, even if they are
// not a valid mark.
func CopyMark(from, to metav1.Object) {
	for _, key := range marks {
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

// Fresh reports whether the mark belongs to a change after the observed generation of an
// object that is now at the current generation. The observed generation of an object that
// the operator has not seen is -1. Before Kubernetes 1.36, a change that was made while the
// webhook was down leaves an older mark in place.
func (m Mark) Fresh(observed, current int64) bool {
	return m.Generation > 0 && observed < m.Generation && m.Generation <= current
}
