// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The keys of the console.

import { jobOf } from "../lib/model.mjs";

/** KEYS holds the keys and what they do, for the help. */
export const KEYS = [
	[["j", "k"], "next and previous row"],
	[["Enter"], "open an error, or open and close a group"],
	[["→", "←"], "open and close a group"],
	[["x"], "select a row with all its errors"],
	[["a"], "select all errors that are shown"],
	[["e"], "resolve the selection or the row"],
	[["Shift", "e"], "reopen it"],
	[["r"], "run the Job of the row again"],
	[["o"], "open the Job of the row"],
	[["u"], "undo"],
	[["/"], "search"],
	[["Esc"], "clear the selection, or go back"],
	[["?"], "this help"],
];

/** BUSY says why errors can't be resolved or reopened at the moment. */
export const BUSY = "Another change is under way. Wait until it has ended.";

/** handleKey does what a key stands for. */
export function handleKey(event, state, actions) {
	if (event.ctrlKey || event.metaKey || event.altKey || state.dialog) return;
	const typing = event.target.matches?.("input:not([type=checkbox]), select, textarea");
	if (typing) {
		if (event.key === "Escape") event.target.blur();
		return;
	}
	const onControl = event.target.matches?.("button, a, input, summary");
	if (onControl && (event.key === "Enter" || event.key === " ")) return;
	const handler = (state.view.view === "list" ? listKeys(event, state, actions) : detailKeys(event, state, actions)) ?? commonKeys(event, actions);
	if (!handler) return;
	event.preventDefault();
	handler();
}

function commonKeys(event, actions) {
	return {
		"?": () => actions.set({ dialog: { type: "help" } }),
		u: () => actions.undo(),
		"/": () => {
			actions.show({ view: "list" });
			requestAnimationFrame(() => document.getElementById("search")?.focus());
		},
	}[event.key];
}

function detailKeys(event, state, actions) {
	if (event.key === "Escape") return () => actions.show({ view: "list" });
	const page = state.page;
	if (!page) return undefined;
	return {
		e: () => page.resolve?.(true),
		E: () => page.resolve?.(false),
		r: () => page.retry?.(),
		o: () => page.openJob?.(),
	}[event.key];
}

function listKeys(event, state, actions) {
	const rows = state.rows ?? [];
	const at = rows.findIndex((r) => r.key === state.active);
	const row = rows[at];
	const move = (to) => () => rows.length && actions.set({ active: rows[Math.max(0, Math.min(rows.length - 1, to))].key, follow: true });
	const errors = () => (state.selected.size ? actions.selection() : row?.errors ?? []);
	return {
		j: move(at + 1), ArrowDown: move(at + 1),
		k: move(at < 0 ? 0 : at - 1), ArrowUp: move(at < 0 ? 0 : at - 1),
		Home: move(0), End: move(rows.length - 1),
		Enter: row && (() => openRow(row, actions, state)),
		ArrowRight: row && row.isOpen === false ? () => openRow(row, actions, state) : undefined,
		ArrowLeft: row && row.isOpen ? () => openRow(row, actions, state) : undefined,
		x: row && (() => selectRow(row, state, actions)),
		" ": row && (() => selectRow(row, state, actions)),
		a: () => actions.toggle(state.selected, state.shown.map((r) => r.key), true),
		e: () => askToResolve(errors(), true, actions),
		E: () => askToResolve(errors(), false, actions),
		r: () => row && askToRetry(row.errors[0], actions),
		o: () => row && actions.show(jobView(row.errors[0])),
		Escape: () => actions.clearSelection(),
	}[event.key];
}

/** openRow opens or closes a group, or shows an error. */
export function openRow(row, actions, state) {
	if (row.type === "workload") actions.toggle(state.closed, [row.key]);
	else if (row.isOpen !== undefined) actions.toggle(state.opened, [row.key]);
	else actions.show({ view: "error", namespace: row.errors[0].namespace, name: row.errors[0].name });
}

/** selectRow selects all errors of a row, or none if they are all selected. */
export function selectRow(row, state, actions) {
	const all = row.errors.every((r) => state.selected.has(r.key));
	actions.toggle(state.selected, row.errors.map((r) => r.key), !all);
}

/** jobView returns the view of the Job of an error. */
export function jobView(record) {
	return { view: "job", namespace: record.namespace, name: record.jobName, uid: record.jobUID };
}

/** askToResolve opens the dialog for a reason. */
export function askToResolve(records, resolved, actions) {
	const target = records.filter((r) => r.resolved !== resolved);
	if (target.length) actions.set({ dialog: { type: "resolve", records: target, resolved } });
}

/** askToRetry opens the dialog to run the Job of an error again. */
export function askToRetry(record, actions) {
	if (record) actions.set({ dialog: { type: "retry", namespace: record.namespace, job: jobOf(record), name: record.jobName, cronJob: record.cronJob } });
}
