// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Parts that the pages of an error and of a Job share.

import { dateTime, inWords } from "../lib/time.mjs";
import { html, Icon, names } from "./html.mjs";

export const Back = ({ actions }) => html`<button class="back quiet" onClick=${() => actions.show({ view: "list" })}><${Icon} name="back" />All errors <kbd>Esc</kbd></button>`;

export const ClassBadge = ({ kind }) => html`<span class="class-badge"><i class=${"mark " + kind}></i>${kind}</span>`;

export const State = ({ state }) => html`<span class=${"state " + state}>${state}</span>`;

/** Fact is a name with a value. It is left out if there is no value. */
export const Fact = ({ name, children }) => (children === undefined || children === "" || children === null ? null : html`<div><dt>${name}</dt><dd>${children}</dd></div>`);

export const Time = ({ time, now }) => html`<time dateTime=${time ? new Date(time).toISOString() : ""} title=${inWords(time, now)}>${dateTime(time)}</time>`;

const EVENT_ICONS = { error: "error", resolved: "check", reopened: "reopen", retry: "retry", succeeded: "check", failed: "error", refused: "close", run: "run" };

export function Timeline({ events, now, actions, namespace }) {
	if (!events.length) return html`<p class="hint">Nothing is recorded.</p>`;
	return html`<ol class="timeline">${events.map((e) => html`<li class=${names("event", e.type)}>
		<span class="event-icon"><${Icon} name=${EVENT_ICONS[e.type]} /></span>
		<div><p class="event-title">${e.error
		? html`<button class="link" onClick=${() => actions.show({ view: "error", namespace, name: e.error.name })}>${e.title}</button>`
		: e.title}${e.count > 1 && html`<span class="hint"> ${e.count} errors</span>`}${e.failed > 0 && html`<span class="bad"> ${e.failed} failed</span>`}</p>
		${e.text && html`<p class="event-text">${e.text}</p>`}
		<p class="hint"><${Time} time=${e.time} now=${now} /> · ${inWords(e.time, now)}</p></div>
	</li>`)}</ol>`;
}
