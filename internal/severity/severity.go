// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package severity reads how urgent errors are, from the label joberror.io/severity.
package severity

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Level orders the values of the label. The zero value means that it is not set, or has another
// value.
type Level uint8

// Levels, the least urgent first.
const (
	Unset Level = iota
	Info
	Warning
	Critical
	// Levels is the number of levels.
	Levels
)

// Default is the level of errors if nobody has set one.
const Default = Warning

var names = [Levels]string{"", joberrorv1.SeverityInfo, joberrorv1.SeverityWarning, joberrorv1.SeverityCritical}

// String returns the value of the label; empty for Unset.
func (l Level) String() string { return names[l] }

// Of returns the level that the labels of an object set, and an error if they have a value that
// is not allowed.
func Of(object metav1.Object) (Level, error) {
	value := object.GetLabels()[joberrorv1.LabelSeverity]
	for level, name := range names {
		if name == value {
			return Level(level), nil
		}
	}
	return Unset, fmt.Errorf("label %s: %q must be %s, %s or %s, so it counts as not set", joberrorv1.LabelSeverity, value,
		joberrorv1.SeverityCritical, joberrorv1.SeverityWarning, joberrorv1.SeverityInfo)
}

// Allowed returns the level that the labels of an object set; Unset if they have a value that is
// not allowed.
func Allowed(object metav1.Object) Level {
	// Of returns Unset together with the error.
	level, _ := Of(object)
	return level
}

// Copy copies the label of a Job, or of the CronJob that failed, to an error that has none. A
// value that is not allowed is not copied.
func Copy(je *joberrorv1.JobError, from metav1.Object) {
	if _, has := je.Labels[joberrorv1.LabelSeverity]; has {
		return
	}
	if level := Allowed(from); level != Unset {
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelSeverity, level.String())
	}
}
