// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { createStore } from "../static/store.mjs";
import { jobError, record, respond } from "./helpers.mjs";

/** settle waits until the page has read all answers that are ready. */
async function settle() {
	for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** pass lets time pass for the page. */
async function pass(ms) {
	await settle();
	mock.timers.tick(ms);
	await settle();
}

beforeEach(() => {
	mock.timers.reset();
	mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
});

/** openPage returns a store in a made-up window, whose answers are made by path. */
function openPage({ search = "", answers = {} } = {}) {
	const listeners = {};
	const paths = [];
	const target = { addEventListener: (type, listener) => (listeners[type] = listener) };
	const answer = (path) => {
		paths.push(path);
		const found = Object.keys(answers).find((beginning) => path.startsWith(beginning));
		return found ? answers[found](path) : respond({});
	};
	Object.assign(globalThis, {
		location: { search },
		history: { pushState: () => {}, replaceState: () => {} },
		document: { ...target, hidden: false },
		window: { ...target, scrollY: 0, scrollTo: () => {}, fetch: async (path) => answer(path) },
		requestAnimationFrame: () => 1,
	});
	const back = (to) => {
		globalThis.location.search = to;
		listeners.popstate();
	};
	return { ...createStore(), back, paths };
}

/** hold returns a promise, and a function that ends it. */
function hold() {
	let free;
	const held = new Promise((resolve) => (free = resolve));
	return { held, free };
}

const RESOLVE = "apis/resolve.joberror.io/";
const ERRORS = "apis/joberror.io/v1/joberrors";
const JOBS = "apis/batch/v1/jobs";

test("the keys of a page end with it", () => {
	const { state, actions, back } = openPage({ search: "?error=a/x" });
	const resolve = () => {};
	for (const [name, leave] of [
		["back", () => back("?error=a/gone")], ["back to the list", () => back("?")],
		["another page", () => actions.show({ view: "job", namespace: "a", name: "import" })],
		["a filter", () => actions.setFilter({ q: "x" })],
	]) {
		state.page = { resolve };
		leave();
		assert.equal(state.page, undefined, name);
	}
});

test("a change that can't begin yet is refused, and changes nothing", async () => {
	const { held, free } = hold();
	const { state, actions, paths } = openPage({ answers: { [RESOLVE]: () => held } });
	assert.equal(actions.resolve([record("x")], true, "first"), true);
	state.selected.add("a/y");
	assert.equal(actions.resolve([record("y")], true, "second"), false);
	assert.deepEqual([...state.selected], ["a/y"], "the selection is kept");
	assert.equal(paths.length, 1);
	free(respond({ metadata: { name: "r" }, status: { updated: 1, conditions: [{ type: "Complete", status: "True" }] } }));
	await settle();
	assert.equal(state.toasts.at(-1).text, "Resolved 1 error.");
	assert.equal(actions.resolve([record("y")], true, "second"), true);
	assert.equal(paths.length, 2);
});

test("owners of Jobs are asked for again after a failure, but not after a refusal", async () => {
	const job = { metadata: { uid: "u1", ownerReferences: [{ controller: true, kind: "JobSet", name: "set" }] } };
	const error = jobError("x", { status: { job: { name: "import", uid: "u1" } } });
	for (const [code, want] of [[503, 2], [403, 1]]) {
		const list = [
			() => respond({ kind: "Status", code, message: "no" }, { status: code }),
			() => respond({ items: [job], metadata: {} }),
		];
		const { state, start, paths } = openPage({
			answers: {
				[JOBS]: () => list.shift()(),
				[`${ERRORS}?watch`]: () => new Promise(() => {}),
				[ERRORS]: () => respond({ items: [error], metadata: { resourceVersion: "1" } }),
			},
		});
		const asked = () => paths.filter((p) => p.startsWith(JOBS)).length;
		start();
		await pass(200);
		assert.equal(asked(), 1, `${code}: the errors have come`);
		await pass(1000);
		assert.equal(asked(), 1, `${code}: there is a pause`);
		await pass(60_000);
		assert.equal(asked(), want, `${code}: after the pause`);
		assert.equal(state.owners.get("u1")?.name, want === 2 ? "set" : undefined);
	}
});
