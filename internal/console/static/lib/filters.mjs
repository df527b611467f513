// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The filters of the list, and their form in the URL.

import { DAY } from "./time.mjs";

/** DEFAULTS holds the filters of a URL that has none. */
export const DEFAULTS = { ns: "", state: "open", class: "", code: "", q: "", since: "" };

/** STATES and SINCE hold the values to choose from. */
export const STATES = ["open", "resolved", "all"];
export const SINCE = { "1h": DAY / 24, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY };

/** parseURL returns the filters and the view in a query string. Unknown values are ignored. */
export function parseURL(search) {
	const params = new URLSearchParams(search);
	const filters = { ...DEFAULTS };
	for (const name of Object.keys(DEFAULTS)) {
		if (params.has(name)) filters[name] = params.get(name);
	}
	if (!STATES.includes(filters.state)) filters.state = DEFAULTS.state;
	if (!Object.hasOwn(SINCE, filters.since)) filters.since = DEFAULTS.since;
	for (const view of ["error", "job"]) {
		const [namespace, name, uid = ""] = (params.get(view) ?? "").split("/");
		if (namespace && name) return { filters, view: { view, namespace, name, uid } };
	}
	return { filters, view: { view: "list" } };
}

/** toURL returns the query string of filters and a view. Defaults are left out. */
export function toURL(filters, view = { view: "list" }) {
	const params = new URLSearchParams();
	for (const [name, value] of Object.entries(DEFAULTS)) {
		if (filters[name] !== value) params.set(name, filters[name]);
	}
	if (view.view !== "list") {
		params.set(view.view, [view.namespace, view.name, view.uid].filter(Boolean).join("/"));
	}
	const text = params.toString().replaceAll("%2F", "/");
	return text ? "?" + text : "./";
}

/** matcher returns a function that reports whether a record passes the filters. */
export function matcher(filters, now) {
	const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
	const from = filters.since ? now - SINCE[filters.since] : 0;
	return (r) =>
		(filters.state === "all" || r.resolved === (filters.state === "resolved")) &&
		(!filters.ns || r.namespace === filters.ns) &&
		(!filters.class || r.class === filters.class) &&
		(!filters.code || r.code === filters.code) &&
		r.last >= from &&
		words.every((word) => text(r).includes(word));
}

// Searching 10,000 records again at each key press is fast only if their text is kept.
const texts = new WeakMap();

function text(r) {
	let value = texts.get(r);
	if (value === undefined) {
		value = [r.name, r.namespace, r.jobName, r.cronJob, r.code, r.source, r.message].join("\n").toLowerCase();
		texts.set(r, value);
	}
	return value;
}

/** isFiltered reports whether the filters hide open errors. */
export function isFiltered(filters) {
	return Object.entries(DEFAULTS).some(([name, value]) => name !== "state" && filters[name] !== value);
}
