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

func (o occurrence) hash() string {
	_, hash, _ := strings.Cut(string(o), ".")
	return hash
}

// CountFirst counts the occurrence that a captured error was made for, where
// none is counted yet.
func CountFirst(je *joberrorv1.JobError, status *joberrorv1.JobErrorStatus) {
	mark := je.Annotations[joberrorv1.AnnotationOccurrence]
	if status.Occurrences == 0 && isOccurrence.MatchString(mark) {
		count(status, occurrence(mark))
	}
}

// Count counts an occurrence, and tells whether it was not counted before. Of
// those that are not remembered any more all that is known is that they were
// earlier: what is seen late then is taken for one of them.
func (f Failure) Count(status *joberrorv1.JobErrorStatus) bool {
	return count(status, occurrence(f.mark()))
}

func count(status *joberrorv1.JobErrorStatus, o occurrence) bool {
	recent, at := status.RecentOccurrences, o.at()
	// When it happened may be known better later; which it was does not change.
	known := func(mark string) bool { return occurrence(mark).hash() == o.hash() }
	if slices.ContainsFunc(recent, known) {
		return false
	}
	if len(recent) >= maxRemembered {
		if oldest := occurrence(recent[0]).at(); at.Before(&oldest) {
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
