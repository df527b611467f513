// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

// Reporter says who reports records in a request, and when.
type Reporter struct {
	// Pod is the pod that sent the request, if it is known.
	Pod string
	// Request identifies the request.
	Request string
	// At is when the request came.
	At time.Time
}

// Group turns the rows of a request into failures, one for each record and time that it
// happened. reports holds the failures of each record, in the order of their first rows,
// and rows holds the indexes of each record's rows.
//
// A row with a createdAt happened at that time: sent again, it is the same occurrence. A
// row without one happens with each request. Rows with the same time happened several
// times at that time.
func (by Reporter) Group(records []resolvev1.Record) (reports [][]Failure, rows [][]int) {
	places := map[string]int{}
	for i, r := range records {
		f := by.failure(r)
		place, known := places[f.Key]
		if !known {
			place = len(reports)
			places[f.Key] = place
			reports, rows = append(reports, nil), append(rows, nil)
		}
		rows[place] = append(rows[place], i)
		same := slices.IndexFunc(reports[place], func(g Failure) bool { return g.Occurrence == f.Occurrence })
		if same < 0 {
			reports[place] = append(reports[place], f)
		} else {
			reports[place][same].addRow(r)
		}
	}
	return reports, rows
}

func (by Reporter) failure(r resolvev1.Record) Failure {
	f := Failure{Key: RecordKey(&r), Occurrence: "request/" + by.Request, Times: 1, Source: by.Pod, At: by.At, Report: &r}
	if at, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil {
		f.Occurrence = createdAt(at)
		if at.Before(by.At) {
			f.At = at
		}
	}
	return f
}

// createdAt returns the occurrence for a record's createdAt.
func createdAt(at time.Time) string { return "createdAt/" + at.UTC().Format(time.RFC3339Nano) }

// addRow adds another row that reports the same failure. One open row keeps the record
// open.
func (f *Failure) addRow(r resolvev1.Record) {
	f.Times++
	f.Report.Resolved = f.Report.Resolved && r.Resolved
}

// Created returns the failure for which an error was created, at its createdAt.
func Created(je *joberrorv1.JobError) Failure {
	at := retention.CreatedAt(je)
	return Failure{Occurrence: createdAt(at), At: at}
}

// Repetition is the result of reporting the record of an existing error again.
type Repetition struct {
	// Status is the error's status with the new occurrences.
	Status joberrorv1.JobErrorStatus
	// New is the number of new occurrences.
	New int

	// reopen is the occurrence for which the error is reopened; empty if it is not. Status
	// does not include it.
	reopen occurrence
}

// Reopens reports whether the error must be reopened.
func (r Repetition) Reopens() bool { return r.reopen != "" }

// Annotate writes the occurrence for which an error is reopened on the error itself. The
// status counts it once it says that the error is open.
func (r Repetition) Annotate(je *joberrorv1.JobError) {
	metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationOccurrence, string(r.reopen))
}

// Repeat adds failures of one record to the existing error. An error without occurrences
// happened once, when it was created.
func Repeat(je *joberrorv1.JobError, failures []Failure, now time.Time) Repetition {
	status := je.Status.DeepCopy()
	if CountMarked(je, status); status.Occurrences == 0 {
		Created(je).AddTo(status, now)
	}
	// Zero while the status is out of date: it is better to reopen once too often than to
	// miss an error.
	var resolvedAt time.Time
	if je.Status.ObservedGeneration == je.Generation && je.Status.ResolvedAt != nil {
		resolvedAt = je.Status.ResolvedAt.Time
	}
	reopening := sets.New[occurrence]()
	for _, f := range failures {
		if f.Reopens(je, resolvedAt) {
			reopening.Insert(f.occurrences()...)
		}
	}
	counted := addEach(status.DeepCopy(), failures, now)
	result := Repetition{New: len(counted)}
	for _, o := range counted {
		if reopening.Has(o) {
			result.reopen = max(result.reopen, o)
		}
	}
	addEach(status, failures, now, result.reopen)
	result.Status = *status
	return result
}

// Reopens reports whether f reopens an error that was resolved at this time. A
// record reported as resolved never does. A createdAt is often in whole seconds: a
// record from the second in which the error was resolved counts as later.
func (f Failure) Reopens(je *joberrorv1.JobError, resolvedAt time.Time) bool {
	switch {
	case !je.Spec.Resolved || !je.DeletionTimestamp.IsZero():
		return false
	case f.Report == nil:
		return f.At.After(resolvedAt)
	default:
		return !f.Report.Resolved && !f.At.Before(resolvedAt)
	}
}
