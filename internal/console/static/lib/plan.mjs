// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Splits what a user selected into requests.

import { jobOf } from "./model.mjs";

/** MOST_NAMES limits the errors that one request may name. */
export const MOST_NAMES = 1000;

/** planChanges returns the requests that resolve or reopen errors: by Job, a limited number each. */
export function planChanges(records, resolved) {
	const jobs = new Map();
	for (const r of records) {
		if (r.resolved === resolved) continue;
		const key = `${r.namespace}/${jobOf(r)}`;
		if (!jobs.has(key)) jobs.set(key, { namespace: r.namespace, job: jobOf(r), names: [] });
		jobs.get(key).names.push(r.name);
	}
	const requests = [];
	for (const { namespace, job, names } of jobs.values()) {
		for (let i = 0; i < names.length; i += MOST_NAMES) {
			requests.push({ namespace, job, names: names.slice(i, i + MOST_NAMES) });
		}
	}
	return requests;
}

/** pathOf returns the path of a request of planChanges. */
export function pathOf({ namespace, job }, resolved) {
	return `apis/resolve.joberror.io/v1/namespaces/${namespace}/jobs/${job}/joberrors/${resolved ? "resolve" : "unresolve"}`;
}

/**
 * changeEach resolves or reopens the errors of a request of planChanges one by one, through their
 * own resource, and returns how many it changed. The console forwards no other patch.
 */
export async function changeEach({ namespace, names }, resolved, send) {
	const failures = [];
	let updated = 0;
	await inParallel(names, 4, async (name) => {
		try {
			await send(`apis/joberror.io/v1/namespaces/${namespace}/joberrors/${name}`, { method: "PATCH", body: { spec: { resolved } } });
			updated++;
		} catch (err) {
			failures.push(`${name}: ${err.message}`);
		}
	});
	return { updated, failures };
}

/** inParallel runs a task for each item, a few at a time, and returns the results in order. */
export async function inParallel(items, limit, task) {
	const results = new Array(items.length);
	let next = 0;
	const work = async () => {
		while (next < items.length) {
			const i = next++;
			results[i] = await task(items[i]);
		}
	};
	await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
	return results;
}
