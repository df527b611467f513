// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package retry decides whether a failed Job may run again, and builds the Job that runs in
// its place. It has no client and no clock. Kubernetes never runs a Job again, so a retry is
// always a new Job, and the failed one is not touched.
package retry
