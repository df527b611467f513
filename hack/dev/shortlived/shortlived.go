// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package shortlived holds what "make run ARCHIVE=1" shows: a Job whose errors expire after a
// minute, and the flags of an operator that archives them. A test runs both.
package shortlived

import (
	"net/url"
	"path/filepath"
)

// Namespace and Name are those of Job.
const (
	Namespace = "default"
	Name      = "short-lived"
)

// Flags returns the flags of an operator that keeps its archive in a directory.
func Flags(dir string) []string {
	at := url.URL{Scheme: "file", Path: filepath.ToSlash(dir), RawQuery: "create_dir=true"}
	// Without the minimum, a Job can't ask for less than a day.
	return []string{"--archive-url=" + at.String(), "--archive-interval=5s", "--min-retention=1m"}
}

// Job is a Job that fails in the development control plane, in YAML.
const Job = `
apiVersion: batch/v1
kind: Job
metadata:
  name: short-lived
  namespace: default
  annotations:
    joberror.io/retention: 1m
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations:
        dev.joberror.io/exit-code: "7"
        dev.joberror.io/message: this error is kept for a minute, and then in the archive
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox
`
