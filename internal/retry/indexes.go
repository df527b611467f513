// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"
)

// CompletedIndexes returns the indexes that have succeeded in any Job of a lineage and need not
// run again, in the notation of status.completedIndexes. It is empty if the retry runs all
// indexes: all or none of them have succeeded, the template is not Indexed, the Jobs had
// another number of completions, so that an index may mean something else, or another
// controller than Kubernetes' manages the Job.
func CompletedIndexes(jobs []*batchv1.Job, template batchv1.JobSpec) string {
	if !IsIndexed(&template) || ptr.Deref(template.ManagedBy, batchv1.JobControllerName) != batchv1.JobControllerName {
		return ""
	}
	var succeeded []interval
	for _, job := range jobs {
		if IsIndexed(&job.Spec) && *job.Spec.Completions == *template.Completions {
			succeeded = append(succeeded, parseIndexes(job.Status.CompletedIndexes, *template.Completions)...)
		}
	}
	succeeded = union(succeeded)
	if count(succeeded) == *template.Completions {
		return ""
	}
	return formatIndexes(succeeded)
}

// CountIndexes returns how many indexes below a number of completions a text names.
func CountIndexes(text string, completions int32) int32 {
	return count(union(parseIndexes(text, completions)))
}

func count(intervals []interval) int32 {
	n := int32(0)
	for _, i := range intervals {
		n += i.last - i.first + 1
	}
	return n
}

// IsIndexed reports whether a Job has a fixed number of indexes.
func IsIndexed(spec *batchv1.JobSpec) bool {
	return spec.CompletionMode != nil && *spec.CompletionMode == batchv1.IndexedCompletion && spec.Completions != nil
}

// interval is a range of indexes, with both ends.
type interval struct{ first, last int32 }

// parseIndexes parses a text such as "1,3-5" with indexes below a number of completions. It
// returns none for a text that is not in this notation.
func parseIndexes(text string, completions int32) []interval {
	if text == "" {
		return nil
	}
	var parsed []interval
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseInt(from, 10, 32)
		last, lastErr := strconv.ParseInt(to, 10, 32)
		if err != nil || lastErr != nil || first < 0 || last < first || int32(last) >= completions {
			return nil
		}
		parsed = append(parsed, interval{int32(first), int32(last)})
	}
	return parsed
}

// union merges intervals that overlap or follow each other.
func union(intervals []interval) []interval {
	slices.SortFunc(intervals, func(a, b interval) int { return cmp.Compare(a.first, b.first) })
	var merged []interval
	for _, next := range intervals {
		if n := len(merged); n > 0 && next.first <= merged[n-1].last+1 {
			merged[n-1].last = max(merged[n-1].last, next.last)
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

// formatIndexes returns intervals in the notation of status.completedIndexes. Like the Job
// controller, it writes two indexes as "1,2" and more as "1-3".
func formatIndexes(intervals []interval) string {
	var parts []string
	for _, i := range intervals {
		switch i.last - i.first {
		case 0:
			parts = append(parts, fmt.Sprint(i.first))
		case 1:
			parts = append(parts, fmt.Sprintf("%d,%d", i.first, i.last))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", i.first, i.last))
		}
	}
	return strings.Join(parts, ",")
}
