// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The first page: what is broken now.

import { DEFAULTS, matcher } from "../lib/filters.mjs";
import { groupErrors, rootsOf } from "../lib/group.mjs";
import { DAY, startOfDay } from "../lib/time.mjs";
import { useMemo } from "../vendor/hooks.mjs";
import { BulkBar } from "./bulkbar.mjs";
import { Chart } from "./chart.mjs";
import { Classes, FilterBar } from "./filterbar.mjs";
import { html, plural } from "./html.mjs";
import { AllClear, Forbidden, Loading, Missing, NoMatch, SessionEnded, Unreachable } from "./states.mjs";
import { Tree } from "./tree.mjs";

export function ListPage({ state, actions, now }) {
	const { records, filters, owners, connection } = state;
	const minute = Math.floor(now / 60_000);
	const today = startOfDay(now);
	const clear = { ...DEFAULTS, state: filters.state, ns: state.everywhere ? "" : filters.ns };

	const roots = useMemo(() => rootsOf(records), [records]);
	const shown = useMemo(() => records.filter(matcher(filters, now)), [records, filters, filters.since && minute]);
	const workloads = useMemo(() => groupErrors(shown, owners, roots), [shown, owners, owners.size, roots]);
	const inNamespace = useMemo(() => records.filter((r) => !filters.ns || r.namespace === filters.ns), [records, filters.ns]);
	const facets = useMemo(() => facetsOf(records, filters, now), [records, filters, minute]);
	state.shown = shown;

	switch (connection.phase) {
	case "forbidden":
		return html`<${Forbidden} state=${state} actions=${actions} />`;
	case "missing":
		return html`<${Missing} state=${state} actions=${actions} />`;
	case "session":
		return html`<${SessionEnded} connection=${connection} />`;
	case "loading":
		if (!records.length) return html`<${Loading} connection=${connection} />`;
		break;
	case "reconnecting":
		if (!connection.loaded) return html`<${Unreachable} connection=${connection} actions=${actions} now=${now} />`;
	}
	return html`
		${connection.phase === "reconnecting" && html`<p class="banner" role="alert">The errors are as of ${new Date(state.updated).toLocaleTimeString("en", { hour12: false })}. ${connection.message}</p>`}
		<div class="overview">
			<${Numbers} records=${inNamespace} now=${now} />
			<${Chart} records=${inNamespace} now=${now} today=${today} />
		</div>
		<${FilterBar} state=${state} actions=${actions} namespaces=${facets.namespaces} codes=${facets.codes} clear=${clear} />
		<${Classes} state=${state} actions=${actions} counts=${facets.classes} />
		${shown.length
		? html`<p class="summary" role="status"><span class="total">${plural(shown.length, "error")} in ${plural(workloads.length, "workload")}${connection.phase === "loading" && ", still loading…"}</span><span class="head" aria-hidden="true">errors</span><span class="head" aria-hidden="true">last seen</span></p>
			<${Tree} state=${state} actions=${actions} workloads=${workloads} now=${now} />`
		: connection.phase === "loading" ? html`<${Loading} connection=${connection} />`
			: filters.state === "open" && !records.some((r) => !r.resolved)
				? html`<${AllClear} total=${records.length} />`
				: html`<${NoMatch} actions=${actions} clear=${clear} />`}
		<${BulkBar} state=${state} actions=${actions} />`;
}

/** facetsOf returns the namespaces and codes to choose from, and the errors of each class. */
function facetsOf(records, filters, now) {
	const passes = matcher({ ...filters, class: "" }, now);
	const passesCode = matcher({ ...filters, class: "", code: "" }, now);
	const namespaces = new Set(filters.ns ? [filters.ns] : []);
	const codes = new Set(filters.code ? [filters.code] : []);
	const classes = {};
	for (const r of records) {
		namespaces.add(r.namespace);
		if (passesCode(r)) codes.add(r.code);
		if (passes(r)) classes[r.class] = (classes[r.class] ?? 0) + 1;
	}
	return { namespaces: [...namespaces].sort(), codes: [...codes].sort(), classes };
}

const CLUSTER = new Set(["resources", "infrastructure"]);

function Numbers({ records, now }) {
	const open = records.filter((r) => !r.resolved);
	const recent = open.filter((r) => r.last > now - DAY / 24).length;
	const jobs = new Set(open.map((r) => `${r.namespace}/${r.cronJob || r.jobName}`)).size;
	const cluster = open.filter((r) => CLUSTER.has(r.class)).length;
	const cell = (n, text, kind = "") => html`<div class=${kind}><dd>${n.toLocaleString("en")}</dd><dt>${text}</dt></div>`;
	return html`<dl class="panel numbers">
		${cell(open.length, "open errors", open.length ? "bad" : "good")}
		${cell(recent, "seen in the last hour", recent ? "warn" : "")}
		${cell(jobs, "failing Jobs and CronJobs")}
		${cell(cluster, "errors caused by the cluster")}
	</dl>`;
}
