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

// Reporter is who reports records in a request, and when.
type Reporter struct {
	// Pod is the pod that sent the request, if it is known.
	Pod string
	// Request identifies the request.
	Request string
	// At is when the request came.
	At time.Time
}

// Group turns the rows of a request into failures, one for each record and time
// that it happened. The failures of one record stand together, in the order of
// their first rows; rows lists, for each record, its rows.
//
// A row happened at its createdAt: sent again, it is the same occurrence. A row
// without one happens with each request. Rows that agree in this, too, happened
// several times at once.
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
	f := Failure{Key: RecordKey(r), Occurrence: "request/" + by.Request, Times: 1, Source: by.Pod, At: by.At, Report: &r}
	if at, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil {
		f.Occurrence = createdAt(at)
		if at.Before(by.At) {
			f.At = at
		}
	}
	return f
}

// createdAt returns the occurrence that a record's createdAt stands for.
func createdAt(at time.Time) string { return "createdAt/" + at.UTC().Format(time.RFC3339Nano) }

// repeat adds another row that reports the same. One open row keeps the record
// open.
func (f *Failure) addRow(r resolvev1.Record) {
	f.Times++
	f.Report.Resolved = f.Report.Resolved && r.Resolved
}

// Created returns the failure that an error was created for: the one at its
// createdAt.
func Created(je *joberrorv1.JobError) Failure {
	at := retention.CreatedAt(je)
	return Failure{Occurrence: createdAt(at), At: at}
}

// Repetition is what becomes of an error whose record is reported again.
type Repetition struct {
	// Status is the error's, with what is counted now.
	Status joberrorv1.JobErrorStatus
	// New is how many occurrences were not counted before.
	New int

	// reopen is the occurrence that the error is reopened for; empty if it stays
	// as it is. Status leaves it out.
	reopen occurrence
}

// Reopens reports whether the error is to be reopened.
func (r Repetition) Reopens() bool { return r.reopen != "" }

// Mark writes the occurrence that an error is reopened for on the error itself. The
// status counts it once it says that the error is open.
func (r Repetition) Annotate(je *joberrorv1.JobError) {
	metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationOccurrence, string(r.reopen))
}

// Repeat adds failures of one record to the existing error. An error without any
// occurrence has happened once: when it was created.
func Repeat(je *joberrorv1.JobError, failures []Failure, now time.Time) Repetition {
	status := je.Status.DeepCopy()
	if CountMarked(je, status); status.Occurrences == 0 {
		Created(je).AddTo(status, now)
	}
	// Zero while the status lags behind: it is better to reopen once too often than
	// to miss an error.
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
