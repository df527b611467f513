// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// One Job with its retries: runs, errors, and what to do.

import { lineageOf, lineageTimeline } from "../lib/timeline.mjs";
import { inWords } from "../lib/time.mjs";
import { useState } from "../vendor/hooks.mjs";
import { History } from "./archive.mjs";
import { Absent } from "./error.mjs";
import { html, Icon, plural } from "./html.mjs";
import { askToResolve, askToRetry } from "./keys.mjs";
import { loadHistory, useLoad, useTicks } from "./load.mjs";
import { Back, ClassBadge, State, Timeline } from "./parts.mjs";
import { Notice } from "./states.mjs";

export function JobPage({ state, actions, now }) {
	const { namespace, name, uid } = state.view;
	const [running, setRunning] = useState(false);
	const tick = useTicks(running, 2000);
	const records = state.records.filter((r) => r.namespace === namespace);
	// The errors say which retries belong to the Job, so they come first.
	const waiting = isWaiting(state.connection);
	const loaded = useLoad(async (signal) => {
		const known = lineageOf({ name, uid }, records, [], new Map());
		const ids = [...new Set([name, uid, known.first.name, known.first.uid, ...known.runs.flatMap((r) => [r.name, r.uid])].filter(Boolean))];
		const [history, jobs] = await Promise.all([loadHistory(actions, namespace, ids, signal), loadJobs(actions, namespace, known.first, name, signal)]);
		const lineage = lineageOf({ name, uid }, records, history.retries, jobs);
		if (!signal.aborted) setRunning(lineage.runs.some((r) => r.state === "running" || r.state === "suspended"));
		return { ...history, jobs };
	}, [state.updated, tick], !waiting);
	const absent = (connection) => html`<${Back} actions=${actions} /><${Absent} state=${{ connection }} actions=${actions} now=${now} what=${`Job ${name}`} />`;
	if (!loaded.data) return absent(waiting ? state.connection : loaded.error ? {} : { phase: "loading" });

	const lineage = lineageOf({ name, uid }, records, loaded.data.retries, loaded.data.jobs);
	const { first, runs } = lineage;
	const errors = runs.flatMap((r) => r.errors);
	const open = errors.filter((r) => !r.resolved);
	const cronJob = errors.find((r) => r.cronJob)?.cronJob ?? "";
	const mayResolve = actions.may("resolve", namespace);
	const mayRetry = actions.may("retry", namespace);
	const busy = runs.some((r) => r.state === "running");
	const retry = () => actions.set({ dialog: { type: "retry", namespace, job: first.uid || first.name, name: first.name, cronJob } });
	state.page = {
		resolve: (resolved) => mayResolve !== false && askToResolve(errors, resolved, actions),
		retry: () => mayRetry !== false && retry(),
	};
	if (!errors.length && !loaded.data.jobs.size && !lineage.retries.length) {
		return html`<${Back} actions=${actions} /><${Notice} icon="box" title=${`Nothing is known of a Job ${name} in ${namespace}`}><p>It has no errors, and there is no such Job.</p></${Notice}>
			<${History} key=${`${namespace}/${name}`} namespace=${namespace} jobs=${[uid || name]} actions=${actions} now=${now} />`;
	}
	return html`<${Back} actions=${actions} />
		<article class="page">
			<header class="page-head">
				<div class="grow"><p class="crumbs">${namespace}${cronJob && html` / <button class="link" onClick=${() => actions.setFilter({ q: cronJob, ns: namespace })}>${cronJob}</button>`} / Job</p>
					<h1>${first.name}</h1>
					<p class="badges"><${State} state=${runs.at(-1).state} /><span class="hint">${plural(runs.length, "run")}, ${plural(open.length, "open error")}, ${plural(errors.length - open.length, "resolved error")}</span></p></div>
				<div class="buttons">
					<button class=${open.length ? "primary" : ""} disabled=${!open.length || mayResolve === false} title=${mayResolve === false ? "You may not resolve errors here; the role edit or joberror-resolver allows it" : ""}
						onClick=${() => askToResolve(open, true, actions)}><${Icon} name="check" />${open.length ? `Resolve ${open.length}` : "All resolved"}</button>
					<button disabled=${mayRetry === false || busy} title=${mayRetry === false ? "You may not retry Jobs here; the role edit allows it" : busy ? "A run has not ended" : "Run the Job again"} onClick=${retry}><${Icon} name="retry" />Retry</button>
				</div>
			</header>
			<${Advice} runs=${runs} open=${open} mayRetry=${mayRetry} mayResolve=${mayResolve} />
			<div class="columns">
				<div class="column">${[...runs].reverse().map((run) => html`<${Run} key=${run.uid || run.name} run=${run} namespace=${namespace} actions=${actions} now=${now} />`)}
					<${History} key=${`${namespace}/${first.name}`} namespace=${namespace} jobs=${[...new Set(runs.map((r) => r.name))]} actions=${actions} now=${now} /></div>
				<div class="column side"><section class="panel"><h2>What happened</h2>
					${loaded.data.problems.map((p) => html`<p class="hint">${p}</p>`)}
					<${Timeline} events=${lineageTimeline(lineage, loaded.data.resolutions)} now=${now} actions=${actions} namespace=${namespace} /></section></div>
			</div>
		</article>`;
}

/** isWaiting reports whether the errors have not been listed yet, but may be later. */
function isWaiting({ phase, loaded }) {
	return phase === "loading" || phase === "session" || (phase === "reconnecting" && !loaded);
}

/** loadJobs returns the Jobs of a lineage that exist, by UID. */
async function loadJobs(actions, namespace, first, name, signal) {
	const base = `apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`;
	const jobs = new Map();
	const keep = (job) => job?.metadata && jobs.set(job.metadata.uid, job);
	const quietly = (promise) => promise.catch(() => undefined); // without the Job, what the errors say is shown
	const read = (job) => quietly(actions.get(`${base}/${encodeURIComponent(job)}`, { signal }));
	const [one, other] = await Promise.all([read(first.name), name === first.name ? undefined : read(name)]);
	// A Job without errors says itself what it is a retry of.
	const root = first.uid || one?.metadata.annotations?.["joberror.io/retry-of"] || one?.metadata.uid;
	const retries = root && await quietly(actions.list(base, { params: { labelSelector: `joberror.io/lineage=${root}` }, signal }));
	for (const job of [one, other, ...(retries?.items ?? [])]) keep(job);
	return jobs;
}

/** Advice says in a sentence what may be done next. */
function Advice({ runs, open, mayRetry, mayResolve }) {
	const last = runs.at(-1);
	const text = {
		running: "A run is under way. Its success resolves the captured errors.",
		suspended: "The Job is suspended.",
		succeeded: open.length ? "The last run succeeded. The errors that are still open were reported by the Job, or recorded later: look at them, and resolve them." : "The last run succeeded, and nothing is open.",
	}[last.state] ?? (open.length
		? mayRetry === false && mayResolve === false ? "You may look, but neither resolve nor retry here."
			: "Fix the cause, then run the Job again: a success resolves the captured errors. If nothing has to run again, resolve them."
		: "Nothing is open.");
	return html`<p class="advice">${text}</p>`;
}

function Run({ run, namespace, actions, now }) {
	return html`<section class="panel run"><div class="panel-head"><h2>${run.name}</h2><${State} state=${run.state} />
			<span class="hint">${run.attempt ? `retry ${run.attempt}` : "first run"}${run.job ? "" : ", the Job no longer exists"}</span></div>
		${run.errors.length ? html`<ul class="run-errors">${[...run.errors].sort((a, b) => b.last - a.last).slice(0, 200).map((r) => html`
			<li class=${r.resolved ? "resolved" : ""}><button onClick=${() => actions.show({ view: "error", namespace, name: r.name })}>
				<span class="code">${r.code}</span><span class="message">${r.line}</span><${ClassBadge} kind=${r.class} />
				<span class="age">${r.resolved ? "resolved" : inWords(r.last, now)}</span></button></li>`)}</ul>
			${run.errors.length > 200 && html`<p class="hint">and ${run.errors.length - 200} more</p>`}`
		: html`<p class="empty">This run has no errors${run.state === "running" ? " so far" : ""}.</p>`}
	</section>`;
}
