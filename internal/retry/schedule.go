// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
)

// ScheduledByName returns the annotation that says for which time a Job of a CronJob was
// scheduled, by the name of the Job: the CronJob controller ends it with the minutes since
// 1970. It is empty for any other name.
func ScheduledByName(cronJob, job string) map[string]string {
	suffix, found := strings.CutPrefix(job, cronJob+"-")
	if !found {
		return nil
	}
	minutes, err := strconv.ParseInt(suffix, 10, 64)
	if err != nil || minutes < 0 {
		return nil
	}
	return map[string]string{batchv1.CronJobScheduledTimestampAnnotation: time.Unix(minutes*60, 0).UTC().Format(time.RFC3339)}
}
