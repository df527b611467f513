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

// maxRemembered limits the occurrences in status.recentOccurrences, as the schema does.
const maxRemembered = 100

// maxTimes limits the occurrences that an annotation can stand for: everybody who may
// patch the error can write it.
const maxTimes = 1000

// occurrence identifies one time that a failure happened: when, in seconds since 1970, and
// a hash, as in 1762337700.4n0q1r2s3t.
type occurrence string

var encodedOccurrence = regexp.MustCompile(`^(\d{10}\.[0-9a-v]{10})(?:\*([1-9]\d{0,3}))?$`)

// firstOccurrence returns the occurrence, or the first of several at the same time.
// Occurrences sort by time.
func (f Failure) firstOccurrence() occurrence {
	return occurrence(fmt.Sprintf("%010d.%s", f.At.Unix(), digest(f.Occurrence)))
}

// encode returns the text for all occurrences of f: the first one, and how many there are
// if there are several, as in 1762337700.4n0q1r2s3t*3.
func (f Failure) encode() string {
	if f.Times > 1 {
		return fmt.Sprintf("%s*%d", f.firstOccurrence(), f.Times)
	}
	return string(f.firstOccurrence())
}

// occurrences returns the occurrences of f.
func (f Failure) occurrences() []occurrence { return f.firstOccurrence().expand(f.Times) }

// decodeOccurrence reads what encode returns. ok is false for any other text.
func decodeOccurrence(text string) (first occurrence, times int, ok bool) {
	parts := encodedOccurrence.FindStringSubmatch(text)
	if parts == nil {
		return "", 0, false
	}
	// There are at most four digits. Without digits, it happened once.
	times, _ = strconv.Atoi(parts[2])
	return occurrence(parts[1]), times, true
}

// expand returns n occurrences at the same time. The first is o, and the others are
// derived from it.
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
	// An occurrence starts with ten digits.
	at, _ := strconv.ParseInt(seconds, 10, 64)
	return metav1.NewTime(time.Unix(at, 0))
}

// sameAs reports whether text is the same occurrence. The time may become more exact
// later; the hash does not change.
func (o occurrence) sameAs(text string) bool { return occurrence(text).hash() == o.hash() }

func (o occurrence) hash() string {
	_, hash, _ := strings.Cut(string(o), ".")
	return hash
}

// Annotate writes the occurrences for which an error is created or reopened on the error
// itself, since its status can be written only later.
func (f Failure) Annotate(je *joberrorv1.JobError) {
	metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationOccurrence, f.encode())
}

// CountMarked adds the occurrences for which an error was created or reopened to its
// status, unless they are counted already.
func CountMarked(je *joberrorv1.JobError, status *joberrorv1.JobErrorStatus) {
	if first, times, ok := decodeOccurrence(je.Annotations[joberrorv1.AnnotationOccurrence]); ok {
		addOccurrences(status, first.expand(times), false)
	}
}

// MarkIsCounted reports whether the status of an error counts and remembers all occurrences
// for which the error was created or reopened.
func MarkIsCounted(je *joberrorv1.JobError) bool {
	first, times, ok := decodeOccurrence(je.Annotations[joberrorv1.AnnotationOccurrence])
	return ok && !slices.ContainsFunc(first.expand(times), func(o occurrence) bool {
		return !slices.ContainsFunc(je.Status.RecentOccurrences, o.sameAs)
	})
}

// IsRecordedBy reports whether a captured error already holds this occurrence.
func (f Failure) IsRecordedBy(je *joberrorv1.JobError) bool {
	same := f.firstOccurrence().sameAs
	first, _, _ := decodeOccurrence(je.Annotations[joberrorv1.AnnotationOccurrence])
	return same(string(first)) || slices.ContainsFunc(je.Status.RecentOccurrences, same)
}

// RecordedIn reports whether a JobError that the operator recorded for a Job holds this
// occurrence, also as one over the limit.
func (f Failure) RecordedIn(je *joberrorv1.JobError, job string, uid types.UID) bool {
	if je.Labels[joberrorv1.LabelCaptured] == joberrorv1.CapturedOverflow {
		f = Overflow(f, 0)
	}
	return f.IsRecordOf(je, job, uid) && f.IsRecordedBy(je) && (f.Disruption || FirstName(je.Name) == ErrorName(job, uid, f.Key))
}

// IsRecordOf reports whether the operator recorded a JobError for the Job or the CronJob that
// failed. Its labels show that: nobody else may set them. Anybody may choose the name.
func (f Failure) IsRecordOf(je *joberrorv1.JobError, job string, uid types.UID) bool {
	captured, ofJob := je.Labels[joberrorv1.LabelCaptured] != "", je.Labels[joberrorv1.LabelJobUID] == string(uid)
	switch {
	case f.Report != nil:
		return ofJob && !captured
	case f.CronJob:
		return captured && je.Labels[joberrorv1.LabelCronJobName] == job
	default:
		return captured && ofJob
	}
}

// Traces returns the hashes by which a JobError shows that it holds this occurrence: in a
// record of its own or, for the failure of a pod, in the record of all failures over the
// limit.
func (f Failure) Traces() []string {
	traces := []string{f.firstOccurrence().hash()}
	if f.PodLevel {
		traces = append(traces, Overflow(f, 0).firstOccurrence().hash())
	}
	return traces
}

// TracesIn returns the hashes of the occurrences that a JobError holds.
func TracesIn(je *joberrorv1.JobError) []string {
	var traces []string
	if first, _, ok := decodeOccurrence(je.Annotations[joberrorv1.AnnotationOccurrence]); ok {
		traces = append(traces, first.hash())
	}
	for _, o := range je.Status.RecentOccurrences {
		traces = append(traces, occurrence(o).hash())
	}
	return traces
}

// AddTo adds an occurrence to the status, and reports whether it was new. All that is
// known about occurrences that are no longer remembered is that they were earlier. So an
// occurrence that is seen late counts as one of them, and so does one from the same
// second, if it happened before watchingSince.
func (f Failure) AddTo(status *joberrorv1.JobErrorStatus, watchingSince time.Time) bool {
	return len(addEach(status, []Failure{f}, watchingSince)) > 0
}

// addEach adds failures as AddTo does, except for some occurrences, and returns the new
// ones.
func addEach(status *joberrorv1.JobErrorStatus, failures []Failure, watchingSince time.Time, except ...occurrence) []occurrence {
	var maybeKnown, fresh []occurrence
	for _, f := range failures {
		all := slices.DeleteFunc(f.occurrences(), func(o occurrence) bool { return slices.Contains(except, o) })
		if f.At.Before(watchingSince) {
			maybeKnown = append(maybeKnown, all...)
		} else {
			fresh = append(fresh, all...)
		}
	}
	return append(addOccurrences(status, maybeKnown, false), addOccurrences(status, fresh, true)...)
}

// addOccurrences adds occurrences and returns the new ones. It adds them in order, since
// the earliest ones are forgotten first.
func addOccurrences(status *joberrorv1.JobErrorStatus, all []occurrence, fresh bool) []occurrence {
	var added []occurrence
	for _, o := range slices.Sorted(slices.Values(all)) {
		if addOccurrence(status, o, fresh) {
			added = append(added, o)
		}
	}
	return added
}

// addOccurrence adds one occurrence and reports whether it is new. fresh means that it
// can't be one of the forgotten occurrences of its second.
func addOccurrence(status *joberrorv1.JobErrorStatus, o occurrence, fresh bool) bool {
	recent, at := status.RecentOccurrences, o.at()
	if slices.ContainsFunc(recent, o.sameAs) {
		return false
	}
	if len(recent) >= maxRemembered {
		// All forgotten occurrences sort before the remembered ones.
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
