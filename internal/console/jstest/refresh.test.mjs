// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";

import { PAUSE, Refresher } from "../static/lib/refresh.mjs";

/** settle waits until everything that can go on has done so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** refresherOf returns a refresher whose loads end, and whose pauses pass, when the test says so. */
function refresherOf() {
	const loads = [];
	const pauses = [];
	const shown = [];
	const refresher = new Refresher({
		load: (signal) => new Promise((end, fail) => loads.push({ end, fail, signal })),
		onData: (data) => shown.push(data),
		onError: (err) => shown.push(err.message),
		sleep: (ms) => new Promise((pass) => pauses.push({ ms, pass })),
	});
	return { refresher, loads, pauses, shown };
}

test("a load ends, however often it is asked for meanwhile, and runs once more", async () => {
	const { refresher, loads, pauses, shown } = refresherOf();
	for (let i = 0; i < 50; i++) {
		refresher.refresh();
		await settle();
	}
	assert.equal(loads.length, 1);
	loads[0].end("first");
	await settle();
	assert.deepEqual(shown, ["first"]);
	assert.equal(loads.length, 1, "there is a pause before the next load");
	assert.equal(pauses[0].ms, PAUSE);
	refresher.refresh();
	pauses[0].pass();
	await settle();
	assert.equal(loads.length, 2);
	loads[1].end("second");
	await settle();
	pauses[1].pass();
	await settle();
	assert.deepEqual([shown, loads.length], [["first", "second"], 2], "nobody asked again");
	refresher.refresh();
	assert.equal(loads.length, 3, "after the pause, a load begins at once");
});

test("a load that fails is shown, and the next one works", async () => {
	const { refresher, loads, pauses, shown } = refresherOf();
	refresher.refresh();
	refresher.refresh();
	loads[0].fail(new Error("unreachable"));
	await settle();
	pauses[0].pass();
	await settle();
	loads[1].end("data");
	await settle();
	assert.deepEqual(shown, ["unreachable", "data"]);
});

test("after the end, nothing is shown and nothing begins", async () => {
	for (const finish of [({ end }) => end("late"), ({ fail }) => fail(new Error("late"))]) {
		const { refresher, loads, pauses, shown } = refresherOf();
		refresher.refresh();
		refresher.refresh();
		refresher.stop();
		assert.equal(loads[0].signal.aborted, true, "the requests end");
		finish(loads[0]);
		await settle();
		assert.deepEqual([shown, loads.length, pauses.length], [[], 1, 0]);
		refresher.refresh();
		assert.equal(loads.length, 1);
	}
	const { refresher, loads, pauses, shown } = refresherOf();
	refresher.refresh();
	loads[0].end("shown");
	await settle();
	refresher.refresh();
	refresher.stop();
	pauses[0].pass();
	await settle();
	assert.deepEqual([shown, loads.length], [["shown"], 1]);
});
