// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import { toRecord } from "../static/lib/model.mjs";

export const NOW = Date.parse("2026-11-26T12:00:00Z");

/** at returns a time in RFC 3339, some minutes before NOW. */
export const at = (minutes) => new Date(NOW - minutes * 60_000).toISOString();

/** jobError returns a JobError as the API server sends it. */
export function jobError(name, { labels = {}, spec = {}, status = {}, namespace = "a", minutes = 0 } = {}) {
	return {
		metadata: { namespace, name, labels, resourceVersion: "1" },
		spec: { _jobId: "import", code: "ExitCode:3", message: `message of ${name}`, createdAt: at(minutes), ...spec },
		status,
	};
}

export const record = (name, options) => toRecord(jobError(name, options));

/** respond returns a response with JSON, or with lines of JSON. */
export const respond = (body, { status = 200, headers = {} } = {}) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
