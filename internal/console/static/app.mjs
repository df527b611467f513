// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The console: state, pages and keys.

import { createStore } from "./store.mjs";
import { useEffect, useState } from "./vendor/hooks.mjs";
import { render } from "./vendor/preact.mjs";
import { Dialogs } from "./views/dialogs.mjs";
import { ErrorPage } from "./views/error.mjs";
import { Header } from "./views/header.mjs";
import { html } from "./views/html.mjs";
import { JobPage } from "./views/job.mjs";
import { handleKey } from "./views/keys.mjs";
import { ListPage } from "./views/list.mjs";
import { Toasts } from "./views/toasts.mjs";

const store = createStore();

function App() {
	const [, draw] = useState(0);
	const { state, actions } = store;
	useEffect(() => {
		store.listen(() => draw((n) => n + 1));
		const onKey = (event) => handleKey(event, state, actions);
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, []);
	const now = Date.now();
	const { view } = state.view;
	state.page = undefined; // the page sets it again, if its keys can act on something
	const page = { error: ErrorPage, job: JobPage, list: ListPage }[view];
	return html`
		<a class="skip" href="#main">Skip to the errors</a>
		<${Header} state=${state} actions=${actions} now=${now} />
		<main id="main">
			${state.apiDown && html`<p class="banner" role="alert">The operator's API does not answer. Resolve and reopen still work, without a reason; retry does not. To find out why it is down, type: <code>kubectl joberrors check</code></p>`}
			<${page} key=${Object.values(state.view).join("/")} state=${state} actions=${actions} now=${now} /></main>
		<${Toasts} state=${state} actions=${actions} />
		<${Dialogs} state=${state} actions=${actions} />`;
}

render(html`<${App} />`, document.getElementById("app"));
store.start();
