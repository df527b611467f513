// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
)

// cause describes one way in which a workload fails.
type cause struct {
	code, class string
	// container names the container that failed; empty if the pod or the Job failed.
	container string
	// message is the error message; %d stands for the number of a row or a part.
	message string
}

// course says when a workload failed, and what became of its errors.
type course int

const (
	// steady means now and then. Later runs succeeded and resolved nearly all errors.
	steady course = iota
	// fixed means a problem in the past, which a person resolved.
	fixed
	// outage means many failures within a few hours. A part is still open.
	outage
	// growing means more and more failures, and nobody has looked yet.
	growing
)

// workload describes a failing CronJob, or failing Jobs with similar names.
type workload struct {
	namespace, name string
	// every is the interval of the CronJob; 0 if each Job was created by hand.
	every  time.Duration
	course course
	// days is how many days ago the failures began.
	days float64
	// weight is the share of all errors.
	weight int
	causes []cause
}

// workloads describes a cluster with the usual problems: a table that was renamed, a customer's bad
// dates, memory limits, an image that was not pushed, a full node pool.
var workloads = []workload{
	{"billing", "invoice-run", 24 * time.Hour, growing, 6, 8, []cause{
		{"ExitCode:3", joberrorv1.ClassApplication, "main", "relation \"invoices_%d\" does not exist"},
	}},
	{"billing", "payment-reconciliation", time.Hour, steady, 30, 12, []cause{
		{"ExitCode:1", joberrorv1.ClassApplication, "main", "payment provider answered 503 for batch %d"},
		{"DeadlineExceeded", joberrorv1.ClassDeadline, "", "Job was active longer than specified deadline"},
	}},
	{"billing", "dunning-letters", 24 * time.Hour, fixed, 22, 3, []cause{
		{"CreateContainerConfigError", joberrorv1.ClassConfiguration, "main", "secret \"smtp-credentials\" not found"},
	}},
	{"warehouse", "crm-import", time.Hour, growing, 12, 24, []cause{
		{"invalid_date", joberrorv1.ClassData, "crm", "row %d: closed_on is not a date"},
		{"duplicate_key", joberrorv1.ClassData, "crm", "row %d: the customer already exists"},
		{"422", joberrorv1.ClassData, "crm", "row %d: the amount must not be negative"},
	}},
	{"warehouse", "orders-export", 6 * time.Hour, steady, 30, 7, []cause{
		{"ExitCode:137", joberrorv1.ClassApplication, "main", "the container was ended by signal 9 in part %d"},
		{"OOMKilled", joberrorv1.ClassResources, "main", "the container was ended by signal 9: it used more memory than its limit in part %d"},
	}},
	{"warehouse", "backfill-2024", 0, outage, 3, 9, []cause{
		{"Evicted", joberrorv1.ClassResources, "", "the node was low on resource: ephemeral-storage (part %d)"},
		{"OOMKilled", joberrorv1.ClassResources, "main", "the container was ended by signal 9: it used more memory than its limit in part %d"},
	}},
	{"ml", "embeddings-refresh", 12 * time.Hour, outage, 9, 6, []cause{
		{"Unschedulable", joberrorv1.ClassResources, "", "0/%d nodes are available: insufficient nvidia.com/gpu"},
		{"PreemptionByScheduler", joberrorv1.ClassInfrastructure, "", "default-scheduler: preempting to accommodate a higher priority pod (shard %d)"},
	}},
	{"ml", "train-ranker", 0, steady, 30, 5, []cause{
		{"ExitCode:1", joberrorv1.ClassApplication, "trainer", "loss is not a number at step %d"},
		{"NodeLost", joberrorv1.ClassInfrastructure, "", "Node gpu-%d was lost"},
	}},
	{"web", "sitemap", time.Hour, steady, 30, 6, []cause{
		{"ExitCode:2", joberrorv1.ClassApplication, "main", "connection to search-%d timed out"},
	}},
	{"web", "thumbnail-cleanup", 24 * time.Hour, fixed, 27, 3, []cause{
		{"ImagePullBackOff", joberrorv1.ClassImage, "main", "Back-off pulling image \"thumbnails:%d\""},
	}},
	{"web", "newsletter", 24 * time.Hour, growing, 2, 2, []cause{
		{"ImagePullBackOff", joberrorv1.ClassImage, "main", "Back-off pulling image \"newsletter:%d\""},
	}},
	{"platform", "etcd-backup", 6 * time.Hour, steady, 30, 3, []cause{
		{"FailedMount", joberrorv1.ClassConfiguration, "", "MountVolume.SetUp failed for volume \"backup-%d\""},
		{"NodeShutdown", joberrorv1.ClassInfrastructure, "", "Pod was rejected as the node is shutting down (attempt %d)"},
	}},
	{"platform", "certificate-report", 24 * time.Hour, outage, 17, 2, []cause{
		{"MissSchedule", joberrorv1.ClassSchedule, "", "missed the scheduled time by %d seconds"},
	}},
	{"platform", "tenant-audit", 12 * time.Hour, fixed, 15, 4, []cause{
		{"PodFailurePolicy", joberrorv1.ClassPolicy, "job", "Container main for pod failed with exit code 42 (tenant %d), matching FailJob rule"},
	}},
}
