// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// What has just happened, and how to undo it.

import { html, Icon, names, plural } from "./html.mjs";
import { BUSY } from "./keys.mjs";

export function Toasts({ state, actions }) {
	const { toasts, progress } = state;
	return html`<div class="toasts" role="status" aria-live="polite">
		${progress && html`<div class="toast">
			<div class="grow">${progress.verb} ${progress.done.toLocaleString("en")} of ${plural(progress.total, "error")}…
				<progress max=${progress.total} value=${progress.done}></progress></div>
		</div>`}
		${toasts.map((t) => html`<div key=${t.id} class=${names("toast", t.kind)}>
			<${Icon} name=${t.kind === "bad" ? "error" : "check"} />
			<div class="grow">${t.text}${t.detail && html`<p>${t.detail}</p>`}</div>
			${t.undo && html`<button disabled=${Boolean(progress)} title=${progress ? BUSY : ""} onClick=${() => actions.undo(t.id)}>Undo <kbd>u</kbd></button>`}
			${t.link && html`<button onClick=${() => { actions.dismiss(t.id); actions.show(t.link); }}>Open</button>`}
			<button class="quiet square" aria-label="Dismiss" onClick=${() => actions.dismiss(t.id)}><${Icon} name="close" /></button>
			${t.undo && html`<i class="countdown" aria-hidden="true"></i>`}
		</div>`)}
	</div>`;
}
