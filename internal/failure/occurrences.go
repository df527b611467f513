// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

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

// maxTimes bounds how many occurrences a mark can stand for: the annotation that
// holds it is open to whoever may patch the error.
const maxTimes = 1000

// occurrence is when something happened, and what tells it from other times:
// 1762337700.4n0q1r2s3t
type occurrence string

var encodedOccurrence = regexp.MustCompile(`^(\d{10}\.[0-9a-v]{10})(?:\*([1-9]\d{0,3}))?$`)

// first returns the occurrence, or the first of several at once. It sorts by time.
func (f Failure) firstOccurrence() occurrence {
	return occurrence(fmt.Sprintf("%010d.%s", f.At.Unix(), digest(f.Occurrence)))
}

// mark returns the text that stands for all occurrences of f: the first one, and
// how many there are if it is more than one, as in 1762337700.4n0q1r2s3t*3.
func (f Failure) encode() string {
	if f.Times > 1 {
		return fmt.Sprintf("%s*%d", f.firstOccurrence(), f.Times)
	}
	return string(f.firstOccurrence())
}

// all returns the occurrences of f.
func (f Failure) occurrences() []occurrence { return f.firstOccurrence().expand(f.Times) }

// decodeOccurrence reads a mark. ok is false if the text is not a mark.
func decodeOccurrence(mark string) (first occurrence, times int, ok bool) {
	parts := encodedOccurrence.FindStringSubmatch(mark)
	if parts == nil {
		return "", 0, false
	}
	// There are at most four digits. Without any, it happened once.
	times, _ = strconv.Atoi(parts[2])
	return occurrence(parts[1]), times, true
}

// repeat returns n occurrences at once. The first is o, and the others follow from
// it.
func (o occurrence) expand(n int) []occurrence {
	all := []occurrence{o}
	seconds, hash, _ := strings.Cut(string(o), ".")
	for i := 1; i < min(n, maxTimes); i++ {
		all = append(all, occurrence(seconds+"."+digest(hash, strconv.Itoa(i))))
	}
	return all
}

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

// Mark writes the occurrences that an error is made or reopened for on the error
// itself: the status can be written only after that.
func (f Failure) Annotate(je *joberrorv1.JobError) {
	metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationOccurrence, f.encode())
}

// CountMarked counts the occurrences that an error was made or reopened for, if
// they are not counted yet.
func CountMarked(je *joberrorv1.JobError, status *joberrorv1.JobErrorStatus) {
	if first, times, ok := decodeOccurrence(je.Annotations[joberrorv1.AnnotationOccurrence]); ok {
		addOccurrences(status, first.expand(times), false)
	}
}

// Counts reports whether a captured error is about this occurrence, too.
func (f Failure) IsRecordedBy(je *joberrorv1.JobError) bool {
	is := f.firstOccurrence().is
	first, _, _ := decodeOccurrence(je.Annotations[joberrorv1.AnnotationOccurrence])
	return is(string(first)) || slices.ContainsFunc(je.Status.RecentOccurrences, is)
}

// RecordedIn reports whether a JobError of a Job holds this occurrence.
func (f Failure) RecordedIn(je *joberrorv1.JobError, job string, uid types.UID) bool {
	if je.Labels[joberrorv1.LabelCaptured] == joberrorv1.CapturedOverflow {
		return Overflow(f, 0).IsRecordedBy(je)
	}
	return (f.Disruption || je.Name == ErrorName(job, uid, f.Key)) && f.IsRecordedBy(je)
}

// Count counts an occurrence, and reports whether it was not counted before. Of
// those that are not remembered any more all that is known is that they were
// earlier: what is seen late then is taken for one of them, and so is what
// happened in the same second, before the one who counts began to watch.
func (f Failure) AddTo(status *joberrorv1.JobErrorStatus, watching time.Time) bool {
	return len(addEach(status, []Failure{f}, watching)) > 0
}

// addEach counts failures as Count does, but for some occurrences, and returns
// those that were not counted before.
func addEach(status *joberrorv1.JobErrorStatus, failures []Failure, watching time.Time, but ...occurrence) []occurrence {
	var maybeKnown, fresh []occurrence
	for _, f := range failures {
		all := slices.DeleteFunc(f.occurrences(), func(o occurrence) bool { return slices.Contains(but, o) })
		if f.At.Before(watching) {
			maybeKnown = append(maybeKnown, all...)
		} else {
			fresh = append(fresh, all...)
		}
	}
	return append(addOccurrences(status, maybeKnown, false), addOccurrences(status, fresh, true)...)
}

// addOccurrences counts occurrences and returns those that were not counted before. They
// are counted in order: what is forgotten first must be counted first.
func addOccurrences(status *joberrorv1.JobErrorStatus, all []occurrence, fresh bool) []occurrence {
	var counted []occurrence
	for _, o := range slices.Sorted(slices.Values(all)) {
		if addOccurrence(status, o, fresh) {
			counted = append(counted, o)
		}
	}
	return counted
}

func addOccurrence(status *joberrorv1.JobErrorStatus, o occurrence, fresh bool) bool {
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
