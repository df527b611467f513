// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// What to do with the selected errors.

import { useState } from "../vendor/hooks.mjs";
import { html, Icon, plural } from "./html.mjs";
import { askToRetry, BUSY } from "./keys.mjs";

export function BulkBar({ state, actions }) {
	const [reason, setReason] = useState("");
	const records = actions.selection();
	if (!records.length) return null;
	const open = records.filter((r) => !r.resolved);
	const resolved = records.length - open.length;
	const namespaces = [...new Set(records.map((r) => r.namespace))];
	const denied = (action) => namespaces.find((n) => actions.may(action, n) === false);
	const noResolve = denied("resolve");
	const jobs = [...new Set(records.map((r) => `${r.namespace}/${r.jobUID || r.jobId}`))];
	const noRetry = denied("retry");
	const submit = (e) => {
		e.preventDefault();
		if (actions.resolve(open.length ? open : records, open.length > 0, reason.trim())) setReason("");
	};
	return html`<form class="bulk" aria-label="Selected errors" onSubmit=${submit}>
		<span class="count"><b>${plural(records.length, "error")}</b> of ${plural(jobs.length, "Job")}</span>
		<label class="grow"><span class="sr">Reason</span><input value=${reason} maxlength="1024" autocomplete="off" placeholder="Reason, for later readers" onInput=${(e) => setReason(e.target.value)} /></label>
		<button class="primary" disabled=${Boolean(noResolve || state.progress)} title=${noResolve ? `You may not resolve errors in ${noResolve}; the role edit or joberror-resolver allows it` : state.progress ? BUSY : ""}>
			<${Icon} name=${open.length ? "check" : "reopen"} />${open.length ? `Resolve ${open.length.toLocaleString("en")}` : `Reopen ${resolved.toLocaleString("en")}`}</button>
		${jobs.length === 1 && html`<button type="button" disabled=${Boolean(noRetry)} title=${noRetry ? `You may not retry Jobs in ${noRetry}; the role edit allows it` : "Run the Job again"}
			onClick=${() => askToRetry(records[0], actions)}><${Icon} name="retry" />Retry</button>`}
		<button type="button" class="quiet square" aria-label="Clear the selection" onClick=${actions.clearSelection}><${Icon} name="close" /></button>
	</form>`;
}
