// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Dialogs: resolve with a reason, retry a Job, and the keys.

import { useEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html, plural } from "./html.mjs";
import { BUSY, KEYS } from "./keys.mjs";

export function Dialogs({ state, actions }) {
	const { dialog } = state;
	if (!dialog) return null;
	const close = () => actions.set({ dialog: undefined });
	const view = { help: Help, retry: Retry, resolve: Resolve }[dialog.type];
	return html`<${Modal} key=${dialog.type} close=${close}><${view} ...${dialog} state=${state} actions=${actions} close=${close} /></${Modal}>`;
}

function Modal({ close, children }) {
	const ref = useRef();
	useEffect(() => {
		const before = document.activeElement;
		ref.current.showModal();
		return () => before?.focus?.();
	}, []);
	return html`<dialog ref=${ref} aria-labelledby="dialog-title" onClose=${close} onClick=${(e) => e.target === ref.current && close()}>${children}</dialog>`;
}

function Help({ close }) {
	return html`<div class="dialog-body">
		<h2 id="dialog-title">Keys</h2>
		<dl class="keys">${KEYS.map(([keys, text]) => html`<div><dt>${keys.map((k) => html`<kbd>${k}</kbd>`)}</dt><dd>${text}</dd></div>`)}</dl>
		<h2>What the marks mean</h2>
		<p>An error is <em>open</em> until somebody resolves it, or until the same work succeeds. The class says whose problem it is:
			your code (application, data, configuration) or the cluster (resources, infrastructure).</p>
		<p>Everything here acts as you, with your own kubeconfig and your own rights.</p>
		<div class="buttons"><button class="primary" autofocus onClick=${close}>Close</button></div>
	</div>`;
}

function Resolve({ records, resolved, state, actions, close }) {
	const submit = (e) => {
		e.preventDefault();
		if (actions.resolve(records, resolved, e.target.elements.reason.value.trim())) close();
	};
	const jobs = new Set(records.map((r) => `${r.namespace}/${r.jobName}`)).size;
	return html`<form class="dialog-body" onSubmit=${submit}>
		<h2 id="dialog-title">${resolved ? "Resolve" : "Reopen"} ${plural(records.length, "error")} of ${plural(jobs, "Job")}</h2>
		<label class="field">Reason <span class="hint">optional, for later readers</span>
			<input name="reason" maxlength="1024" autocomplete="off" autofocus placeholder=${resolved ? "the bucket is writable again" : "it is not fixed yet"} /></label>
		${state.progress && html`<p class="hint" role="status">${BUSY}</p>`}
		<div class="buttons"><button type="button" onClick=${close}>Cancel</button><button class="primary" disabled=${Boolean(state.progress)}>${resolved ? "Resolve" : "Reopen"}</button></div>
	</form>`;
}

function Retry({ namespace, job, name, cronJob, actions, close }) {
	const [failure, setFailure] = useState("");
	const [busy, setBusy] = useState(false);
	const submit = async (e) => {
		e.preventDefault();
		const { reason, template } = e.target.elements;
		setBusy(true);
		setFailure("");
		try {
			await actions.retry({ namespace, job }, { ...(reason.value.trim() && { reason: reason.value.trim() }), ...(template?.value && { template: template.value }) });
			close();
		} catch (err) {
			setFailure(err.message);
			setBusy(false);
		}
	};
	return html`<form class="dialog-body" onSubmit=${submit}>
		<h2 id="dialog-title">Run ${name} again</h2>
		<p>A new Job starts; the failed one is not touched. If it succeeds, it resolves the captured errors of ${name} in your name.</p>
		${cronJob && html`<label class="field">Template
			<select name="template"><option value="">The CronJob as it is now</option><option value="Original">The Job as it failed</option></select></label>`}
		<label class="field">Reason <span class="hint">optional, for later readers</span>
			<input name="reason" maxlength="1024" autocomplete="off" autofocus placeholder="the warehouse answers again" /></label>
		${failure && html`<p class="failure" role="alert">${failure}</p>`}
		<div class="buttons"><button type="button" onClick=${close}>Cancel</button><button class="primary" disabled=${busy}>${busy ? "Starting…" : "Run again"}</button></div>
	</form>`;
}
