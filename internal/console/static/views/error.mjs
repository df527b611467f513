// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// One error: its last words, what happened to it, and the log of its pod.

import { podOf } from "../lib/model.mjs";
import { errorTimeline, lineageOf } from "../lib/timeline.mjs";
import { inWords } from "../lib/time.mjs";
import { html, Icon } from "./html.mjs";
import { askToResolve, askToRetry, jobView } from "./keys.mjs";
import { loadHistory, useLoad } from "./load.mjs";
import { Back, ClassBadge, Fact, State, Time, Timeline } from "./parts.mjs";
import { Forbidden, Loading, Notice, SessionEnded, Unreachable } from "./states.mjs";

export function ErrorPage({ state, actions, now }) {
	const { namespace, name } = state.view;
	const record = state.records.find((r) => r.namespace === namespace && r.name === name);
	if (record) return html`<${Details} record=${record} state=${state} actions=${actions} now=${now} />`;
	return html`<${Back} actions=${actions} /><${Absent} state=${state} actions=${actions} now=${now} what=${`error ${name}`} />`;
}

/** Absent says why a page has nothing to show. */
export function Absent({ state, actions, now, what }) {
	const { connection } = state;
	switch (connection.phase) {
	case "loading": return html`<${Loading} connection=${connection} />`;
	case "forbidden": return html`<${Forbidden} state=${state} actions=${actions} />`;
	case "session": return html`<${SessionEnded} connection=${connection} />`;
	case "reconnecting": if (!connection.loaded) return html`<${Unreachable} connection=${connection} actions=${actions} now=${now} />`;
	}
	return html`<${Notice} icon="box" title=${`There is no ${what}`}><p>Records are deleted when they expire, 30 days after the failure by default.</p></${Notice}>`;
}

function Details({ record: r, state, actions, now }) {
	const ids = [...new Set([r.jobId, r.jobUID, r.jobName].filter(Boolean))];
	const history = useLoad((signal) => loadHistory(actions, r.namespace, ids, signal), [state.updated]);
	const { retries = [], resolutions = [], problems = [] } = history.data ?? {};
	const lineage = lineageOf({ name: r.jobName, uid: r.jobUID }, state.records, retries, new Map());
	const mayResolve = actions.may("resolve", r.namespace);
	const mayRetry = actions.may("retry", r.namespace);
	const openJob = () => actions.show(jobView(r));
	state.page = {
		resolve: (resolved) => mayResolve !== false && askToResolve([r], resolved, actions),
		retry: () => mayRetry !== false && askToRetry(r, actions),
		openJob,
	};
	return html`<${Back} actions=${actions} />
		<article class="page">
			<header class="page-head">
				<div class="grow"><p class="crumbs">${r.namespace} / ${r.cronJob && html`<span>${r.cronJob} / </span>`}<button class="link" onClick=${openJob}>${r.jobName}</button></p>
					<h1><code>${r.code}</code></h1>
					<p class="badges"><${State} state=${r.resolved ? "resolved" : "open"} /><${ClassBadge} kind=${r.class} />
						<span class="hint">last seen ${inWords(r.last, now)}${r.count > 1 && `, ${r.count} times`}</span></p></div>
				<div class="buttons">
					<button class=${r.resolved ? "" : "primary"} disabled=${mayResolve === false} title=${mayResolve === false ? "You may not resolve errors here; the role edit or joberror-resolver allows it" : ""}
						onClick=${() => askToResolve([r], !r.resolved, actions)}><${Icon} name=${r.resolved ? "reopen" : "check"} />${r.resolved ? "Reopen" : "Resolve"}</button>
					<button disabled=${mayRetry === false} title=${mayRetry === false ? "You may not retry Jobs here; the role edit allows it" : "Run the Job again"} onClick=${() => askToRetry(r, actions)}><${Icon} name="retry" />Retry</button>
				</div>
			</header>
			<div class="columns">
				<div class="column">
					<section class="panel"><h2>Last words</h2><pre class="words">${r.message || "The error has no message."}</pre></section>
					<${Values} fields=${r.fields} />
					<section class="panel"><h2>What happened</h2>
						${problems.map((p) => html`<p class="hint">${p}</p>`)}
						<${Timeline} events=${errorTimeline(r, resolutions, lineage.retries)} now=${now} actions=${actions} namespace=${r.namespace} /></section>
					<${Log} record=${r} actions=${actions} />
				</div>
				<div class="column side">
					<section class="panel"><h2>Facts</h2><dl class="facts">
						<${Fact} name="Job"><button class="link" onClick=${openJob}>${r.jobName}</button></${Fact}>
						<${Fact} name="CronJob">${r.cronJob}</${Fact}>
						<${Fact} name="Source">${r.source}</${Fact}>
						<${Fact} name="First seen"><${Time} time=${r.first} now=${now} /></${Fact}>
						<${Fact} name="Last seen">${r.last > r.first ? html`<${Time} time=${r.last} now=${now} />` : ""}</${Fact}>
						<${Fact} name="Occurrences">${String(r.count)}</${Fact}>
						<${Fact} name="Reported by">${r.fields.user}</${Fact}>
						<${Fact} name="Kept until"><${Time} time=${r.expires} now=${now} /></${Fact}>
						<${Fact} name="Object">${r.name}</${Fact}>
					</dl></section>
				</div>
			</div>
		</article>`;
}

/** Values shows the fields of the record that could not be mapped. */
function Values({ fields: f }) {
	if (!f.extract && !f.extracted && !f.generate && !f.generated) return null;
	return html`<section class="panel"><h2>Record</h2><dl class="facts">
		<${Fact} name="Source field">${f.extract}</${Fact}><${Fact} name="Its value">${f.extracted && html`<code>${f.extracted}</code>`}</${Fact}>
		<${Fact} name="Target field">${f.generate}</${Fact}><${Fact} name="Its value">${f.generated && html`<code>${f.generated}</code>`}</${Fact}>
	</dl></section>`;
}

function Log({ record: r, actions }) {
	const pod = podOf(r);
	const log = useLoad(async (signal) => {
		if (!pod) return undefined;
		const query = new URLSearchParams({ tailLines: "500", limitBytes: "262144", ...(pod.container && { container: pod.container }) });
		return actions.log(`api/v1/namespaces/${r.namespace}/pods/${encodeURIComponent(pod.pod)}/log?${query}`, { signal });
	}, []);
	if (!pod) return null;
	return html`<section class="panel"><div class="panel-head"><h2>Log</h2><span class="hint">${pod.pod}${pod.container && ` / ${pod.container}`}, the last 500 lines</span></div>
		${log.error ? html`<p class="empty">${logProblem(log.error, r.namespace)}</p>`
		: log.data === undefined ? html`<p class="empty">Loading the log…</p>`
			: log.data ? html`<pre class="log" tabindex="0">${log.data}</pre>` : html`<p class="empty">The log is empty.</p>`}
	</section>`;
}

function logProblem(err, namespace) {
	switch (err.code) {
	case 404: return "The pod no longer exists, and its log is gone. What the operator kept of it is above.";
	case 403: return `You may not read logs in ${namespace}. The role view allows it.`;
	}
	return `The log can't be read: ${err.message}`;
}
