// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Groups errors by workload, and then by code.

import { isOfNamespace } from "./model.mjs";

/**
 * workloadOf returns the kind and the name of what an error belongs to: the CronJob, the owner of
 * the Job, or the Job itself. The errors of a retry belong to the Job that ran first.
 *
 * owners holds the owners of Jobs, and roots the names of Jobs, both by the Job's UID.
 */
export function workloadOf(record, owners, roots) {
	if (isOfNamespace(record)) return { kind: "Namespace", name: record.namespace };
	if (record.cronJob) return { kind: "CronJob", name: record.cronJob };
	if (record.source === "cronjob") return { kind: "CronJob", name: record.jobId };
	const owner = owners.get(record.jobUID) ?? owners.get(record.lineage);
	if (owner) return owner;
	return { kind: "Job", name: roots.get(record.lineage) ?? record.jobName };
}

/** rootsOf returns the names of Jobs by UID, as far as errors name them. */
export function rootsOf(records) {
	const roots = new Map();
	for (const r of records) {
		if (r.jobUID) roots.set(r.jobUID, r.jobName);
	}
	return roots;
}

/**
 * groupErrors returns the workloads of these errors, and their errors by code. What failed last
 * comes first.
 */
export function groupErrors(records, owners, roots) {
	const workloads = new Map();
	for (const r of records) {
		const { kind, name } = workloadOf(r, owners, roots);
		const key = `${r.namespace}/${kind}/${name}`;
		let workload = workloads.get(key);
		if (!workload) {
			workload = { key, kind, name, namespace: r.namespace, errors: [], count: 0, last: 0, groups: new Map() };
			workloads.set(key, workload);
		}
		add(workload, r);
		const codeKey = `${key}/${r.class}/${r.code}`;
		let group = workload.groups.get(codeKey);
		if (!group) {
			group = { key: codeKey, code: r.code, class: r.class, errors: [], count: 0, last: 0 };
			workload.groups.set(codeKey, group);
		}
		add(group, r);
	}
	const sorted = [...workloads.values()].sort(newestFirst);
	for (const workload of sorted) {
		workload.groups = [...workload.groups.values()].sort(newestFirst);
		for (const group of workload.groups) {
			group.errors.sort(newestFirst);
			group.line = group.errors[0].line;
		}
	}
	return sorted;
}

function add(group, record) {
	group.errors.push(record);
	group.count += record.count;
	group.last = Math.max(group.last, record.last);
}

function newestFirst(a, b) {
	return b.last - a.last || (a.key < b.key ? -1 : 1);
}
