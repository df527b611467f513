// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { delayOf, Feed } from "../static/lib/feed.mjs";
import { toRecord } from "../static/lib/model.mjs";
import { jobError, respond } from "./helpers.mjs";

/** follow runs a feed on answers until they are used up, and returns what it did. */
async function follow(answers) {
	const log = { paths: [], phases: [], waits: [], snapshots: [] };
	const feed = new Feed({
		path: "list",
		convert: toRecord,
		random: () => 0.5,
		now: () => 0,
		fetch: async (path) => {
			log.paths.push(path);
			const answer = answers.shift();
			if (!answer) {
				feed.stop();
				throw new TypeError("no more answers");
			}
			return answer();
		},
		sleep: async (ms) => {
			log.waits.push(ms);
		},
		onChange: () => log.snapshots.push([...feed.objects.keys()].join()),
		onState: ({ phase }) => log.phases.push(phase),
	});
	feed.start();
	await feed.done;
	return log;
}

const page = (names, next = "", version = "5") => () => respond({ metadata: { continue: next, resourceVersion: version }, items: names.map((n) => jobError(n)) });
const events = (...list) => () => respond(list.map((e) => JSON.stringify(e) + "\n").join(""));
const event = (type, name, version) => ({ type, object: { ...jobError(name), metadata: { namespace: "a", name, resourceVersion: version } } });
const status = (code, reason = "") => () => respond({ kind: "Status", code, reason, message: `code ${code}` }, { status: code });

test("lists in pages, watches from there, and goes on from the last event", async () => {
	const log = await follow([
		page(["x", "y"], "next"), page(["z"], "", "7"),
		events(event("ADDED", "new", "8"), event("DELETED", "x", "9"), event("BOOKMARK", "", "12")),
	]);
	assert.deepEqual(log.snapshots, ["a/x,a/y", "a/x,a/y,a/z", "a/x,a/y,a/z", "a/x,a/y,a/z,a/new", "a/y,a/z,a/new"], "the first list is shown page by page");
	assert.match(log.paths[1], /continue=next/);
	assert.match(log.paths[2], /watch=1.*resourceVersion=7/);
	assert.match(log.paths[3], /watch=1.*resourceVersion=12/);
	assert.equal(log.phases.at(-1), "live");
});

test("lists again when the version is gone", async () => {
	for (const gone of [status(410, "Expired"), events({ type: "ERROR", object: { code: 410, reason: "Expired" } })]) {
		const log = await follow([page(["x"]), gone, page(["y"], "", "50"), events()]);
		assert.deepEqual([...new Set(log.snapshots)], ["a/x", "a/y"]);
		assert.match(log.paths[3], /resourceVersion=50/);
	}
});

test("tries again, ever later, and shows that", async () => {
	const log = await follow([status(502), status(502), page(["x"]), events(), status(503), events()]);
	assert.deepEqual(log.waits, [1000, 2000, 1000, 1000, 1000]);
	assert.deepEqual(log.phases.filter((p) => p !== "loading"), ["reconnecting", "reconnecting", "live", "reconnecting", "live"]);
	assert.equal(delayOf(20, () => 0.5), 30_000);
});

test("keeps what it has while it lists again", async () => {
	const log = await follow([page(["x"]), status(410), page(["y"], "more"), status(502), page(["y"]), events()]);
	assert.deepEqual([...new Set(log.snapshots)], ["a/x", "a/y"]);
});

test("gives up when trying again is useless", async () => {
	for (const [answer, phase] of [
		[status(403, "Forbidden"), "forbidden"], [status(404, "NotFound"), "missing"],
		[() => respond({ message: "no" }, { status: 401, headers: { "Joberrors-Console": "refused" } }), "session"],
	]) {
		const log = await follow([answer]);
		assert.deepEqual([log.phases.at(-1), log.paths.length], [phase, 1]);
	}
	assert.equal((await follow([status(401, "Unauthorized"), page([]), events()])).phases.at(-1), "live");
});

test("an event that arrives in pieces is one event", async () => {
	const text = JSON.stringify(event("ADDED", "ü", "8")) + "\n";
	const bytes = new TextEncoder().encode(text);
	const log = await follow([page([]), () => new Response(new ReadableStream({
		start(controller) {
			for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
			controller.close();
		},
	}))]);
	assert.equal(log.snapshots.at(-1), "a/ü");
});
