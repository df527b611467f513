// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The history of a Job: its archived errors, which are read only when somebody asks for them.

import { addPage, hasNoArchive, NOTHING, problemOf } from "../lib/archive.mjs";
import { dateTime, inWords, parseTime } from "../lib/time.mjs";
import { useEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html, Icon, plural } from "./html.mjs";
import { ClassBadge, Fact, State } from "./parts.mjs";

/** History shows the archived errors of a Job. jobs holds the names of the Job and its retries. */
export function History({ namespace, jobs, actions, now }) {
	const [job, setJob] = useState(jobs[0]);
	return html`<section class="panel history"><div class="panel-head"><h2>History</h2><span class="hint">errors that have expired, from the archive</span></div>
		${jobs.length > 1 && html`<label class="hint">Job <select value=${job} onChange=${(e) => setJob(e.target.value)}>${jobs.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>`}
		<${Pages} key=${job} namespace=${namespace} job=${job} actions=${actions} now=${now} />
	</section>`;
}

function Pages({ namespace, job, actions, now }) {
	const [history, setHistory] = useState(undefined);
	const [phase, setPhase] = useState("");
	const [error, setError] = useState(undefined);
	const stop = useRef(new AbortController());
	useEffect(() => () => stop.current.abort(), []);
	const load = async () => {
		setPhase("loading");
		setError(undefined);
		try {
			const page = await actions.archive(namespace, job, history?.next ?? "", stop.current.signal);
			setHistory(addPage(history ?? NOTHING, page));
		} catch (err) {
			if (!stop.current.signal.aborted) setError(err);
		}
		setPhase("");
	};
	if (error && hasNoArchive(error)) {
		return html`<p class="empty">This cluster has no archive: the operator runs without <code>--archive-url</code>. Expired errors are deleted.</p>`;
	}
	const records = history?.records ?? [];
	return html`
		${records.length > 0 && html`<ul class="archived" aria-label="Archived errors">${records.map((r) => html`<${Archived} key=${r.key} record=${r} now=${now} />`)}</ul>`}
		<div role="status" aria-live="polite">
			${phase === "loading" && html`<p class="empty">Reading the archive…</p>`}
			${!phase && history && html`<p class=${records.length ? "hint" : "empty"}>${summary(history)}</p>`}
			${history?.skipped > 0 && html`<p class="bad">${plural(history.skipped, "part")} of the archive ${history.skipped === 1 ? "was" : "were"} skipped. The log of the operator says why.</p>`}
		</div>
		${error && html`<p class="bad" role="alert">${problemOf(error, namespace)}</p>`}
		${!phase && (!history || history.next || error) && html`<p class="more"><button onClick=${load}><${Icon} name=${error ? "retry" : "box"} />${error ? "Try again" : history ? "Load more errors" : "Load archived errors"}</button></p>`}`;
}

/** summary says how far the archive was searched. Errors of one day come in any order, perhaps on many pages. */
export function summary({ records, next, through }) {
	if (!next) return records.length ? `${plural(records.length, "archived error")}. There are no older ones.` : "The archive has no errors of this Job.";
	if (!records.length && through) return `No archived errors found yet, back to ${through}.`;
	return `${plural(records.length, "archived error")}${through ? ` back to ${through}. That day may have more.` : " so far."}`;
}

function Archived({ record: r, now }) {
	const { archived: a = {} } = r;
	const line = (r.message ?? "").trim().split("\n", 1)[0];
	return html`<li><details>
		<summary><span class="code">${r.code || "–"}</span><span class="message">${line}</span><${ClassBadge} kind=${a.class || "other"} /><span class="age" title=${inWords(r.time, now)}>${dateTime(r.time)}</span></summary>
		<pre class="words" tabindex="0">${r.message}</pre>
		<dl class="facts">
			<${Fact} name="State"><${State} state=${r.resolved ? "resolved" : "open"} /></${Fact}>
			<${Fact} name="Resolved by">${a.resolvedBy}</${Fact}>
			<${Fact} name="Resolved">${a.resolvedAt && dateTime(parseTime(a.resolvedAt))}</${Fact}>
			<${Fact} name="Happened">${a.occurrences > 1 ? `${a.occurrences} times, the last time at ${dateTime(parseTime(a.lastSeen))}` : ""}</${Fact}>
			<${Fact} name="Source">${r.source}</${Fact}>
			<${Fact} name="Archived">${a.at && dateTime(parseTime(a.at))}</${Fact}>
			<${Fact} name="Name">${r._id}</${Fact}>
		</dl></details></li>`;
}
