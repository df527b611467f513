// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// What happened to an error or a Job, in order.

import { parseTime } from "./time.mjs";

/** condition returns a condition of an object's status, or undefined. */
function condition(object, type) {
	return (object.status?.conditions ?? []).find((c) => c.type === type);
}

/** retryState returns how a retry ended: running, succeeded, failed, or refused with a reason. */
export function retryState(retry) {
	const succeeded = condition(retry, "Succeeded");
	if (succeeded?.status === "True") return { state: "succeeded", message: succeeded.message };
	if (condition(retry, "Complete")?.status !== "True") return { state: "running", message: "" };
	const ran = Boolean(retry.status?.job?.name);
	return { state: ran ? "failed" : "refused", message: succeeded?.message ?? "" };
}

/** resolutionEvent returns an event for a resolution. */
function resolutionEvent(resolution) {
	const { metadata, spec, status = {} } = resolution;
	const resolves = spec.resolved !== false;
	const count = status.updated ?? 0;
	return {
		time: parseTime(status.completedAt) || parseTime(metadata.creationTimestamp),
		type: resolves ? "resolved" : "reopened",
		title: `${resolves ? "Resolved" : "Reopened"} by ${spec.requestedBy || "an unknown user"}`,
		text: spec.reason ?? "",
		count,
		failed: status.failed ?? 0,
		name: metadata.name,
	};
}

/** retryEvents returns an event for the request and one for the end of a retry. */
function retryEvents(retry) {
	const { metadata, spec, status = {} } = retry;
	const { state, message } = retryState(retry);
	const job = status.job?.name ?? "";
	const events = [{
		time: parseTime(metadata.creationTimestamp),
		type: "retry",
		title: job ? `Retried as ${job} by ${spec.requestedBy || "an unknown user"}` : `Retry requested by ${spec.requestedBy || "an unknown user"}`,
		text: spec.reason ?? "",
		job: job ? { name: job, uid: status.job.uid } : undefined,
	}];
	if (state !== "running") {
		const resolved = status.resolved ? `${status.resolved} errors resolved` : "";
		events.push({
			time: parseTime(status.completedAt) || parseTime(metadata.creationTimestamp),
			type: state,
			title: { succeeded: `${job} succeeded`, failed: `${job} failed`, refused: "The retry was refused" }[state],
			text: state === "succeeded" ? resolved : message,
		});
	}
	return events;
}

/** byTime sorts events, and keeps the order of those at the same time. */
function byTime(events) {
	return events.filter((e) => e.time).sort((a, b) => a.time - b.time);
}

/** concerns reports whether a resolution changed an error. */
function concerns(resolution, record) {
	if (resolution.metadata.name === record.resolution) return true;
	const names = resolution.status?.errors ?? resolution.spec?.errors ?? [];
	return names.includes(record.name);
}

const CAUSES = {
	JobSucceeded: "The same work succeeded",
	RetrySucceeded: "A retry succeeded",
	Recovered: "It recovered",
};

/** errorTimeline returns what happened to one error. */
export function errorTimeline(record, resolutions, retries) {
	const events = [{ time: record.first, type: "error", title: record.count > 1 ? "First seen" : "Happened", text: record.line }];
	if (record.last > record.first) {
		events.push({ time: record.last, type: "error", title: `Last seen, ${record.count} times in all`, text: "" });
	}
	const own = resolutions.filter((r) => concerns(r, record));
	events.push(...own.map(resolutionEvent).map((e) => ({ ...e, count: 0, failed: 0 })));
	events.push(...retries.flatMap(retryEvents));
	const state = record.conditions.find((c) => c.type === "Resolved");
	if (record.resolved && !own.some((r) => r.metadata.name === record.resolution)) {
		events.push({
			time: record.resolvedAt || parseTime(state?.lastTransitionTime),
			type: "resolved",
			title: record.resolvedBy ? `Resolved by ${record.resolvedBy}` : "Resolved",
			text: CAUSES[state?.reason] ?? "",
		});
	}
	if (!record.resolved && state?.reason === "Reopened" && !own.some((r) => r.spec.resolved === false)) {
		events.push({ time: parseTime(state.lastTransitionTime), type: "reopened", title: "Reopened", text: state.message ?? "" });
	}
	return byTime(events);
}

/**
 * lineageOf returns the runs of a Job: the one that ran first and its retries, each with its
 * errors and its state. jobs holds the Jobs that exist, by UID.
 */
export function lineageOf({ name, uid }, records, retries, jobs) {
	const first = firstOf({ name, uid }, records, retries);
	const own = retries.filter((r) => isOf(r, first));
	const runs = new Map();
	const run = (job) => {
		const key = job.uid || job.name;
		if (!runs.has(key)) runs.set(key, { ...job, attempt: 0, errors: [], retry: undefined });
		return runs.get(key);
	};
	run(first);
	for (const retry of own) {
		if (!retry.status?.job?.name) continue;
		Object.assign(run(retry.status.job), { attempt: retry.status.attempt ?? 0, retry });
	}
	for (const r of records) {
		const inLineage = first.uid
			? r.jobUID === first.uid || r.lineage === first.uid || (!r.jobUID && r.jobName === first.name)
			: r.jobName === first.name || r.jobId === first.name;
		if (inLineage) run(r.jobUID && first.uid ? { name: r.jobName, uid: r.jobUID } : first).errors.push(r);
	}
	for (const r of runs.values()) {
		r.job = jobs.get(r.uid);
		r.state = runState(r);
	}
	return { first, retries: own, runs: [...runs.values()].sort((a, b) => a.attempt - b.attempt) };
}

/** firstOf returns the Job that ran first in the lineage of a Job. */
function firstOf(job, records, retries) {
	const retry = retries.find((r) => r.status?.job?.uid && (r.status.job.uid === job.uid || (!job.uid && r.status.job.name === job.name)));
	if (retry?.status?.root?.name) return { name: retry.status.root.name, uid: retry.status.root.uid ?? "" };
	const own = records.find((r) => r.jobUID && (r.jobUID === job.uid || (!job.uid && r.jobName === job.name)));
	const root = own?.lineage && records.find((r) => r.jobUID === own.lineage);
	if (root) return { name: root.jobName, uid: root.jobUID };
	return { name: job.name, uid: job.uid || own?.jobUID || "" };
}

/** isOf reports whether a retry is one of a lineage. */
function isOf(retry, first) {
	const root = retry.status?.root;
	if (root?.uid && first.uid) return root.uid === first.uid;
	return retry.spec._jobId === first.name || retry.spec._jobId === first.uid;
}

/** runState returns the state of a run: running, succeeded, failed, suspended or deleted. */
function runState({ job, retry, errors }) {
	const done = (job?.status?.conditions ?? []).find((c) => c.status === "True" && (c.type === "Complete" || c.type === "Failed"));
	if (done) return done.type === "Complete" ? "succeeded" : "failed";
	if (job) return job.spec?.suspend ? "suspended" : "running";
	if (retry) {
		const { state } = retryState(retry);
		if (state !== "running") return state;
	}
	return errors.length ? "failed" : "deleted";
}

/** lineageTimeline returns what happened to a Job and its retries. */
export function lineageTimeline({ runs, retries }, resolutions) {
	const events = [];
	for (const { name, job, errors, retry } of runs) {
		const started = parseTime(job?.status?.startTime);
		if (started && !retry) events.push({ time: started, type: "run", title: `${name} started`, text: "" });
		const codes = new Map();
		for (const e of errors) {
			const known = codes.get(e.code) ?? { time: e.first, type: "error", title: `${e.code} in ${name}`, text: e.line, count: 0, error: e };
			known.time = Math.min(known.time, e.first);
			known.count++;
			codes.set(e.code, known);
		}
		events.push(...codes.values());
	}
	events.push(...retries.flatMap(retryEvents), ...resolutions.map(resolutionEvent));
	return byTime(events);
}
