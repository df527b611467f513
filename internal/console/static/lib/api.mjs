// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Requests to the API server, through the console.

/** APIError is an answer of the API server, or of the console, that is not a success. */
export class APIError extends Error {
	constructor(code, reason, message, hasStatus = true, causes = []) {
		super(message);
		this.code = code;
		this.reason = reason;
		this.hasStatus = hasStatus;
		this.causes = causes; // the reasons of the causes in its Status
	}
}

/** REASONS names the answers that do not come from the API server. */
export const REASONS = { unreachable: "APIServerUnreachable", stopped: "ConsoleStopped", session: "NoSession" };

/**
 * isUnavailable reports whether a request failed because the aggregated API is down or not
 * installed. The API server says that in text. An answer of the operator itself is a Status.
 */
export const isUnavailable = (err) => err instanceof APIError && !err.hasStatus && [404, 502, 503, 504].includes(err.code);

/** request sends a request and returns the response if it is a success. */
export async function request(fetch, path, { method = "GET", body, accept = "application/json", signal } = {}) {
	const headers = { Accept: accept };
	if (method !== "GET") headers["Content-Type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json";
	let response;
	try {
		response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
	} catch (err) {
		if (signal?.aborted) throw err;
		throw new APIError(0, REASONS.stopped, "The console does not answer. Run kubectl joberrors ui again.");
	}
	if (!response.ok) throw await toError(response);
	return response;
}

async function toError(response) {
	let status = {};
	try {
		status = await response.json();
	} catch {
		// A proxy in front of the API server may answer with text.
	}
	const message = status.message || `The API server answered ${response.status}.`;
	if (response.status === 401 && response.headers.get("Joberrors-Console")) {
		return new APIError(401, REASONS.session, message);
	}
	return new APIError(response.status, status.reason ?? "", message, status.kind === "Status", (status.details?.causes ?? []).map((c) => c.reason));
}

/** json sends a request and returns the decoded answer. */
export async function json(fetch, path, options) {
	return (await request(fetch, path, options)).json();
}

/** listAll returns all objects of a list, page by page, and calls onPage after each. */
export async function listAll(fetch, path, { params = {}, accept, signal, onPage, most = Infinity } = {}) {
	const items = [];
	let next = "";
	do {
		const query = new URLSearchParams({ limit: "500", ...params });
		if (next) query.set("continue", next);
		const page = await json(fetch, `${path}?${query}`, { accept, signal });
		items.push(...(page.items ?? []));
		next = page.metadata?.continue ?? "";
		onPage?.(page);
		if (!next || items.length >= most) return { items, resourceVersion: page.metadata?.resourceVersion ?? "" };
	} while (next);
}

/** lines yields the lines of a response as they come. */
export async function* lines(response) {
	const reader = response.body.getReader();
	const decoder = new TextDecoder();
	let rest = "";
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
			rest = parts.pop();
			for (const part of parts) if (part) yield part;
		}
	} finally {
		reader.cancel().catch(() => {}); // it may have ended already
	}
}
