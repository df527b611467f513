// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The archived errors of a Job, page by page.

import { APIError } from "./api.mjs";
import { parseTime } from "./time.mjs";

/** PAGE is how many errors are asked for at a time. */
const PAGE = 100;

/** NO_ARCHIVE is the cause of an answer that says that the operator has no archive. */
const NO_ARCHIVE = "NoArchive";

/** NOTHING is the history before the first page. */
export const NOTHING = { records: [], next: "", through: "", skipped: 0 };

/** archivePath returns the path of a page. next is empty for the first one. */
export function archivePath(namespace, job, next) {
	const query = new URLSearchParams({ archived: "true", limit: String(PAGE), ...(next && { continue: next }) });
	return `apis/resolve.joberror.io/v1/namespaces/${encodeURIComponent(namespace)}/jobs/${encodeURIComponent(job)}/joberrors?${query}`;
}

/** toPage returns the page in a response. */
export async function toPage(response) {
	const skipped = response.headers.get("Joberror-Archive-Skipped");
	// An older operator ignores archived=true, and answers with live errors.
	if (skipped === null) throw new APIError(404, "", "The operator is too old for archives.");
	return {
		records: await response.json(),
		next: response.headers.get("Joberror-Continue") ?? "",
		through: response.headers.get("Joberror-Archive-Through") ?? "",
		skipped: Number(skipped),
	};
}

const keyOf = (r) => `${r.archived?.uid || r._id} ${r._retryId ?? ""}`;
const archivedAt = (r) => parseTime(r.archived?.at);
const timeOf = (r) => parseTime(r.createdAt) || archivedAt(r);

/** addPage returns a history with one more page, the last error first. Of an error that comes twice, it keeps the one that was archived later. */
export function addPage(history, page) {
	const found = new Map();
	for (const r of [...history.records, ...page.records]) {
		const key = keyOf(r);
		const known = found.get(key);
		if (!known || archivedAt(r) > archivedAt(known)) found.set(key, { ...r, key, time: timeOf(r) });
	}
	return {
		records: [...found.values()].sort((a, b) => b.time - a.time),
		next: page.next,
		through: page.through || history.through,
		skipped: history.skipped + page.skipped,
	};
}

/** hasNoArchive reports whether a request failed because the operator has no archive. */
export const hasNoArchive = (err) => err instanceof APIError && err.causes.includes(NO_ARCHIVE);

/** problemOf returns what to say about a failed request. */
export function problemOf(err, namespace) {
	switch (err.code) {
	case 403: return `You may not read archived errors in ${namespace}. The role view allows it.`;
	case 410: return "The namespace was created again, and the rest of the history is of the old one.";
	case 429: return "The operator reads the archive for others right now. Try again in a moment.";
	}
	return `The archive can't be read: ${err.message}`;
}
