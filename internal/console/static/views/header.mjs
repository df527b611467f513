// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The header: where the errors come from, who the user is, and whether the page is live.

import { html, names } from "./html.mjs";

const seconds = (ms) => Math.max(1, Math.ceil(ms / 1000));

export function Header({ state, actions, now }) {
	const { settings, user } = state;
	return html`<header class="top">
		<a class="brand" href="./" onClick=${(e) => { e.preventDefault(); actions.show({ view: "list" }); }}>
			<img src="icon.svg" alt="" width="22" height="22" /><span>JobErrors</span>
		</a>
		<span class="where" title=${settings.server}>${settings.context}</span>
		<span class="spacer"></span>
		<${Live} state=${state} actions=${actions} now=${now} />
		${user && html`<span class="user" title="The API server knows you by this name">${user}</span>`}
		<button class="quiet square" aria-label="Keys and help" title="Keys and help (?)" onClick=${() => actions.set({ dialog: { type: "help" } })}>?</button>
	</header>`;
}

function Live({ state, actions, now }) {
	const { phase, retryAt } = state.connection;
	const text = {
		live: "Live", loading: "Loading…", reconnecting: `Reconnecting in ${seconds(retryAt - now)} s`,
		forbidden: "No access", missing: "Not installed", session: "Session ended",
	}[phase];
	return html`<span class=${names("connection", phase)} role="status">
		<span class="dot"></span>${phase === "reconnecting" ? html`<span class="sr">Reconnecting</span>
			<span class="wide" aria-hidden="true">${text}</span><span class="narrow" aria-hidden="true">Reconnecting</span>
			<button class="link" onClick=${actions.hurry}>Now</button>` : html`<span>${text}</span>`}
	</span>`;
}
