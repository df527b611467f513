// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failingruns

import "joberror.io/operator/internal/severity"

// run is what the Job of a run and its errors say about it.
type run struct {
	// jobFailedAt and errorAt are when the run failed, in seconds since 1970, as its Job and its
	// JobError say; 0 if they do not.
	jobFailedAt, errorAt int64
	// open and resolved count the errors of the run that say that the Job as a whole failed.
	open, resolved int
	// leftResolved says that the last error that was deleted had been resolved.
	leftResolved       bool
	jobLevel, errLevel severity.Level
}

// isGone reports whether neither a failed Job nor an error shows the run.
func (r *run) isGone() bool { return r.jobFailedAt == 0 && r.open == 0 && r.resolved == 0 }

// countsAfter reports whether the run failed after a time, and nobody has resolved its error.
func (r *run) countsAfter(time int64) bool {
	isResolved := r.resolved > 0 || r.leftResolved
	return max(r.jobFailedAt, r.errorAt) > time && (r.open > 0 || !isResolved)
}

// cronJob holds the runs of a CronJob that failed.
type cronJob struct {
	exists bool
	// createdAt and succeededAt are in seconds since 1970; succeededAt is 0 if no run succeeded.
	createdAt, succeededAt int64
	runs                   map[string]*run
	// row is valid unless the runs changed since.
	row     Row
	changed bool
}

// count counts the failed runs in a row.
func (c *cronJob) count() Row {
	row := Row{}
	if !c.exists {
		return row
	}
	// The errors of an earlier CronJob with the same name may still exist. A run can fail in the
	// second in which its CronJob was created.
	after := max(c.succeededAt, c.createdAt-1)
	for _, r := range c.runs {
		if !r.countsAfter(after) {
			continue
		}
		failedAt := max(r.jobFailedAt, r.errorAt)
		if row.Runs == 0 || failedAt < row.Since {
			row.Since = failedAt
		}
		row.Runs++
		row.Level = max(row.Level, r.jobLevel, r.errLevel)
	}
	return row
}
