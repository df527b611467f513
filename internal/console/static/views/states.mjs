// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// What the page shows instead of a list: nothing yet, nothing at all, no right, no connection.

import { html, Icon } from "./html.mjs";

/** Notice is a state that fills the page. */
export function Notice({ icon, title, children, kind = "" }) {
	return html`<section class=${"notice " + kind} role=${kind === "bad" ? "alert" : "status"}>
		<span class="badge-icon"><${Icon} name=${icon} /></span>
		<h2>${title}</h2>${children}
	</section>`;
}

export function Loading({ connection }) {
	const { count, remaining } = connection;
	const known = remaining ? ` of ${(count + remaining).toLocaleString("en")}` : "";
	return html`<section class="loading" role="status" aria-live="polite">
		<p>${count ? `Loading ${count.toLocaleString("en")}${known} errors…` : "Loading errors…"}</p>
		<div class="skeleton" aria-hidden="true">${[...Array(9)].map((_, i) => html`<i class=${i % 3 ? "" : "strong"}></i>`)}</div>
	</section>`;
}

export function Unreachable({ connection, actions, now }) {
	const wait = Math.max(1, Math.ceil((connection.retryAt - now) / 1000));
	return html`<${Notice} icon="cloud" kind="bad" title=${connection.reason === "ConsoleStopped" ? "The console was stopped" : "The API server does not answer"}>
		<p class="detail">${connection.message}</p>
		<p>The next try is in ${wait} s.</p>
		<p><button class="primary" onClick=${actions.hurry}>Try now</button></p>
	</${Notice}>`;
}

export function Forbidden({ state, actions }) {
	const change = (e) => {
		e.preventDefault();
		const namespace = e.target.elements.namespace.value.trim();
		if (namespace) actions.setFilter({ ns: namespace });
	};
	return html`<${Notice} icon="lock" kind="warn" title=${`You may not see the errors in ${state.filters.ns ? `namespace ${state.filters.ns}` : "the cluster"}`}>
		<p class="detail">${state.connection.message}</p>
		<p>The role <code>view</code> or <code>joberror-viewer</code> in a namespace lets you see its errors. An administrator can give it to you:</p>
		<p class="detail">kubectl create rolebinding joberror-viewer --clusterrole=joberror-viewer ${`--user=${state.user || "NAME"} -n ${state.filters.ns || "NAMESPACE"}`}</p>
		<form class="inline" onSubmit=${change}>
			<label>Another namespace <input name="namespace" autocomplete="off" spellcheck="false" /></label>
			<button class="primary">Show</button>
			<button type="button" onClick=${actions.reconnect}>Try again</button>
		</form>
	</${Notice}>`;
}

export function Missing({ state, actions }) {
	return html`<${Notice} icon="box" kind="warn" title="The operator is not installed in this cluster">
		<p class="detail">${state.connection.message}</p>
		<p>The cluster of the context <code>${state.settings.context}</code> has no resource <code>joberrors.joberror.io</code>.</p>
		<p><button onClick=${actions.reconnect}>Try again</button></p>
	</${Notice}>`;
}

export function SessionEnded({ connection }) {
	return html`<${Notice} icon="lock" kind="warn" title="This session has ended">
		<p class="detail">${connection.message}</p>
		<p>Run <code>kubectl joberrors ui</code> again and open the new link.</p>
	</${Notice}>`;
}

export function AllClear({ total }) {
	return html`<${Notice} icon="check" kind="good" title="No open errors">
		<p>${total ? `${total.toLocaleString("en")} errors are resolved.` : "No Job has failed since the operator was installed, or the records have expired."} New errors appear here at once.</p>
	</${Notice}>`;
}

export function NoMatch({ actions, clear }) {
	return html`<${Notice} icon="search" title="No error matches the filters">
		<p><button class="primary" onClick=${() => actions.setFilter(clear)}>Clear the filters</button></p>
	</${Notice}>`;
}
