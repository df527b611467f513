// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The filters above the list.

import { isFiltered } from "../lib/filters.mjs";
import { CLASSES } from "../lib/model.mjs";
import { html, Icon, names } from "./html.mjs";

const SINCE_TEXT = { "": "any time", "1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days" };

/** Classes shows how many of the errors each class has, and filters by class. */
export function Classes({ state, actions, counts }) {
	const { filters } = state;
	return html`<div class="classes" role="group" aria-label="Class">${CLASSES.filter((c) => counts[c] || filters.class === c).map((c) => html`
		<button key=${c} class=${names("chip", filters.class === c && "on")} aria-pressed=${filters.class === c}
			onClick=${() => actions.setFilter({ class: filters.class === c ? "" : c })}>
			<i class=${"mark " + c}></i>${c} <b>${(counts[c] ?? 0).toLocaleString("en")}</b></button>`)}
	</div>`;
}

export function FilterBar({ state, actions, namespaces, codes, clear }) {
	const { filters, everywhere } = state;
	const set = (name) => (e) => actions.setFilter({ [name]: e.target.value });
	return html`<div class="filters" role="search">
		<label class="search"><${Icon} name="search" /><span class="sr">Search</span>
			<input id="search" type="search" placeholder="Search messages, Jobs, pods" autocomplete="off" spellcheck="false" value=${filters.q} onInput=${set("q")} /><kbd>/</kbd></label>
		<div class="segments" role="group" aria-label="State">${["open", "resolved", "all"].map((value) => html`
			<button aria-pressed=${filters.state === value} onClick=${() => actions.setFilter({ state: value })}>${value}</button>`)}</div>
		${everywhere ? html`<label class="select"><span class="sr">Namespace</span>
			<select value=${filters.ns} onChange=${set("ns")}><option value="">all namespaces</option>
				${namespaces.map((n) => html`<option value=${n}>${n}</option>`)}</select></label>`
		: html`<form class="namespace" onSubmit=${(e) => { e.preventDefault(); actions.setFilter({ ns: e.target.elements.ns.value.trim() || state.settings.namespace }); }}>
			<label><span class="sr">Namespace</span><input name="ns" value=${filters.ns} autocomplete="off" spellcheck="false" title="You may not see all namespaces. Type the name of another one." /></label></form>`}
		<label class="select"><span class="sr">Code</span>
			<select value=${filters.code} onChange=${set("code")}><option value="">all codes</option>
				${codes.map((c) => html`<option value=${c}>${c}</option>`)}</select></label>
		<label class="select"><span class="sr">Last seen</span>
			<select value=${filters.since} onChange=${set("since")}>${Object.entries(SINCE_TEXT).map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select></label>
		${isFiltered(filters) && html`<button class="link" onClick=${() => actions.setFilter(clear)}>Clear</button>`}
	</div>`;
}
