// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// maxRemembered is how many occurrences are remembered; the schema's.
const maxRemembered = 100

// occurrence is when something happened, and what tells it from other times:
// 1762337700.4n0q1r2s3t
type occurrence string

var isOccurrence = regexp.MustCompile(`^\d{10}\.[0-9a-v]{10}$`)

// mark tells this occurrence from others, and sorts by the time of it.
func (f Failure) mark() string { return fmt.Sprintf("%010d.%s", f.At.Unix(), digest(f.Occurrence)) }

func (o occurrence) at() metav1.Time {
	seconds, _, _ := strings.Cut(string(o), ".")
	// The mark has ten digits.
	at, _ := strconv.ParseInt(seconds, 10, 64)
	return metav1.NewTime(time.Unix(at, 0))
}

// is tells whether a mark is that of the same occurrence. When it happened may be
// known better later; which it was does not change.
func (o occurrence) is(mark string) bool { return occurrence(mark).hash() == o.hash() }

func (o occurrence) hash() string {
	_, hash, _ := strings.Cut(string(o), ".")
	return hash
}

// Mark writes the occurrence that a captured error is made or reopened for on
// the error itself: the status can be written only after that.
func (f Failure) Mark(je *joberrorv1.JobError) {
	metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationOccurrence, f.mark())
}

// CountMarked counts the occurrence that a captured error was made or reopened
// for, where it is not counted yet.
func CountMarked(je *joberrorv1.JobError, status *joberrorv1.JobErrorStatus) {
	if mark := je.Annotations[joberrorv1.AnnotationOccurrence]; isOccurrence.MatchString(mark) {
		count(status, occurrence(mark), false)
	}
}

// Counts tells whether a captured error is about this occurrence, too.
func (f Failure) Counts(je *joberrorv1.JobError) bool {
	is := occurrence(f.mark()).is
	return is(je.Annotations[joberrorv1.AnnotationOccurrence]) || slices.ContainsFunc(je.Status.RecentOccurrences, is)
}

// RecordedIn reports whether a JobError of a Job holds this occurrence.
func (f Failure) RecordedIn(je *joberrorv1.JobError, job string, uid types.UID) bool {
	if je.Labels[joberrorv1.LabelCaptured] == joberrorv1.CapturedOverflow {
		return Overflow(f, 0).Counts(je)
	}
	return (f.Taken || je.Name == Name(job, uid, f.Key)) && f.Counts(je)
}

// Count counts an occurrence, and tells whether it was not counted before. Of
// those that are not remembered any more all that is known is that they were
// earlier: what is seen late then is taken for one of them, and so is what
// happened in the same second, before the one who counts began to watch.
func (f Failure) Count(status *joberrorv1.JobErrorStatus, watching time.Time) bool {
	return count(status, occurrence(f.mark()), !f.At.Before(watching))
}

func count(status *joberrorv1.JobErrorStatus, o occurrence, fresh bool) bool {
	recent, at := status.RecentOccurrences, o.at()
	if slices.ContainsFunc(recent, o.is) {
		return false
	}
	if len(recent) >= maxRemembered {
		// What was forgotten sorts before all that is remembered.
		oldest := occurrence(recent[0])
		if then := oldest.at(); at.Before(&then) || !fresh && o < oldest {
			return false
		}
	}
	status.Occurrences++
	if status.FirstSeen == nil || at.Before(status.FirstSeen) {
		status.FirstSeen = &at
	}
	if status.LastSeen == nil || status.LastSeen.Before(&at) {
		status.LastSeen = &at
	}
	place, _ := slices.BinarySearch(recent, string(o))
	recent = slices.Insert(slices.Clone(recent), place, string(o))
	status.RecentOccurrences = recent[max(0, len(recent)-maxRemembered):]
	return true
}
