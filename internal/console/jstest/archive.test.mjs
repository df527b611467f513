// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { APIError, request } from "../static/lib/api.mjs";
import { addPage, archivePath, hasNoArchive, NOTHING, problemOf, toPage } from "../static/lib/archive.mjs";
import { summary } from "../static/views/archive.mjs";
import { at, NOW, respond } from "./helpers.mjs";

const archived = (name, minutes, { uid = `uid-${name}`, retryID = "1", ...fields } = {}) => ({ _id: name, _retryId: retryID, createdAt: at(minutes), resolved: true, archived: { uid, at: at(0) }, ...fields });
const page = (records, { next = "", through = "", skipped = 0 } = {}) => ({ records, next, through, skipped });

test("a page is asked for", () => {
	assert.equal(archivePath("a", "import", ""), "apis/resolve.joberror.io/v1/namespaces/a/jobs/import/joberrors?archived=true&limit=100");
	assert.match(archivePath("a", "b/c", "x&y"), /jobs\/b%2Fc\/joberrors\?archived=true&limit=100&continue=x%26y$/);
});

test("a page has headers", async () => {
	const headers = { "Joberror-Continue": "n", "Joberror-Archive-Through": "2026-01-02", "Joberror-Archive-Skipped": "2" };
	assert.deepEqual(await toPage(respond([{ _id: "a" }], { headers })), page([{ _id: "a" }], { next: "n", through: "2026-01-02", skipped: 2 }));
	assert.deepEqual(await toPage(respond([], { headers: { "Joberror-Archive-Skipped": "0" } })), page([]));
	await assert.rejects(toPage(respond([{ _id: "live" }])), /too old for archives/);
});

test("a history has no error twice, and the last one first", () => {
	let history = addPage(NOTHING, page([archived("b", 30), archived("a", 20), archived("b", 30)], { next: "n", through: "2026-11-20", skipped: 1 }));
	history = addPage(history, page([archived("b", 30), archived("b", 30, { retryID: "2" }), archived("b", 90, { uid: "again" }), archived("c", 10, { uid: "" }), archived("c", 10, { uid: "" }), archived("d", 0, { createdAt: "?" })], { skipped: 2 }));
	assert.deepEqual(history.records.map((r) => [r._id, r._retryId, (NOW - r.time) / 60_000]), [["d", "1", 0], ["c", "1", 10], ["a", "1", 20], ["b", "1", 30], ["b", "2", 30], ["b", "1", 90]]);
	assert.deepEqual([history.next, history.through, history.skipped], ["", "2026-11-20", 3]);
	assert.equal(new Set(history.records.map((r) => r.key)).size, history.records.length);
});

test("how far the archive was searched", () => {
	for (const [records, next, through, want] of [
		[100, "n", "2026-11-20", "100 archived errors back to 2026-11-20. That day may have more."],
		[1, "n", "2026-11-20", "1 archived error back to 2026-11-20. That day may have more."],
		[0, "n", "2026-11-20", "No archived errors found yet, back to 2026-11-20."],
		[2, "n", "", "2 archived errors so far."],
		[110, "", "2026-11-20", "110 archived errors. There are no older ones."],
		[0, "", "2026-11-20", "The archive has no errors of this Job."],
	]) assert.equal(summary({ records: Array(records).fill({}), next, through }), want);
});

test("of an error that the archive has twice, the one that was archived last is kept", () => {
	const version = (resolvedBy, minutes) => archived("a", 30, { archived: { uid: "uid-a", resolvedBy, at: minutes === undefined ? undefined : at(minutes) } });
	for (const versions of [
		[version("jane", 2), version("ada", 1)], [version("ada", 1), version("jane", 2)],
		[version("jane"), version("ada", 1)], [version("ada", 1), version("jane")], [version("ada"), version("jane")],
	]) {
		const apart = addPage(addPage(NOTHING, page(versions.slice(0, 1))), page(versions.slice(1)));
		for (const history of [addPage(NOTHING, page(versions)), apart]) assert.deepEqual(history.records.map((r) => r.archived.resolvedBy), ["ada"]);
	}
});

test("what went wrong is said", async () => {
	const failing = (body) => request(async () => respond(body, { status: body.code }), "x").catch((err) => err);
	const none = await failing({ kind: "Status", code: 404, message: "no archive", details: { causes: [{ reason: "NoArchive", field: "archived" }] } });
	assert.equal(hasNoArchive(none), true);
	const other = await failing({ kind: "Status", code: 404, message: "namespace a does not exist" });
	assert.equal(hasNoArchive(other), false);
	assert.match(problemOf(other, "a"), /namespace a does not exist/);
	assert.match(problemOf(new APIError(429, "", "busy"), "a"), /Try again in a moment/);
	assert.match(problemOf(new APIError(403, "", "no"), "team"), /may not read archived errors in team/);
	assert.match(problemOf(new APIError(410, "", "gone"), "team"), /created again/);
	assert.equal(hasNoArchive(new TypeError("x")), false);
});
