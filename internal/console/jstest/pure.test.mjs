// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { APIError, isUnavailable, request } from "../static/lib/api.mjs";
import { describe, perDay, stack } from "../static/lib/buckets.mjs";
import { DEFAULTS, isFiltered, matcher, parseURL, toURL } from "../static/lib/filters.mjs";
import { groupErrors, rootsOf } from "../static/lib/group.mjs";
import { jobOf, ownerOf, podOf } from "../static/lib/model.mjs";
import { changeEach, inParallel, MOST_NAMES, pathOf, planChanges } from "../static/lib/plan.mjs";
import { indexAt, layOut, toRows, visible } from "../static/lib/rows.mjs";
import { ago, DAY, dateTime, dayBefore, inWords, startOfDay } from "../static/lib/time.mjs";
import { at, NOW, record, respond } from "./helpers.mjs";

test("ago has one unit", () => {
	for (const [passed, want] of [[-5000, "now"], [0, "now"], [59_999, "now"], [60_000, "1m"], [3_599_999, "59m"], [3_600_000, "1h"], [47 * 3_600_000, "47h"], [2 * DAY, "2d"], [29.9 * DAY, "29d"]]) {
		assert.equal(ago(NOW - passed, NOW), want);
	}
	assert.equal(ago(0, NOW), "–");
	assert.equal(inWords(NOW - 120_000, NOW), "2m ago");
	assert.equal(inWords(NOW, NOW), "just now");
	assert.match(dateTime(NOW), /^2026-11-2\d \d\d:00:00$/);
});

test("a record knows its Job, pod and first line", () => {
	const r = record("e", {
		labels: { "joberror.io/class": "resources", "joberror.io/captured": "true", "joberror.io/cronjob-name": "nightly" },
		spec: { message: "one\ntwo", source: "pod-1/main" },
		status: { job: { name: "nightly-1", uid: "u1" }, occurrences: 4, lastSeen: at(1), firstSeen: at(9) },
	});
	assert.deepEqual([r.class, r.line, r.count, jobOf(r), r.last - r.first], ["resources", "one", 4, "u1", 8 * 60_000]);
	assert.deepEqual(podOf(r), { pod: "pod-1", container: "main" });
	assert.equal(podOf(record("reported", { spec: { source: "warehouse" } })), undefined);
	assert.equal(jobOf(record("unlinked")), "import");
	assert.equal(record("e", { labels: { "joberror.io/class": "<script>" } }).class, "other");
});

test("owners of Jobs", () => {
	assert.deepEqual(ownerOf({ ownerReferences: [{ kind: "X", name: "x" }, { kind: "JobSet", name: "train", controller: true }] }), { kind: "JobSet", name: "train" });
	assert.deepEqual(ownerOf({ annotations: { "meta.helm.sh/release-name": "shop" } }), { kind: "Helm release", name: "shop" });
	assert.equal(ownerOf({}), undefined);
});

test("filters survive the URL", () => {
	const filters = { ns: "a", state: "all", class: "image", code: "ExitCode:3", q: "täble & x=1", since: "7d" };
	const view = { view: "job", namespace: "a", name: "import", uid: "u1" };
	assert.deepEqual(parseURL(toURL(filters, view)), { filters, view });
	assert.equal(toURL(DEFAULTS), "./");
	assert.deepEqual(parseURL("?state=x&since=constructor&error=a").filters, DEFAULTS);
	assert.deepEqual(parseURL("?error=a").view, { view: "list" });
	assert.equal(isFiltered({ ...DEFAULTS, state: "all" }), false);
	assert.equal(isFiltered({ ...DEFAULTS, q: "x" }), true);
});

test("each filter hides what it should", () => {
	const open = record("open", { minutes: 90, spec: { message: "No such TABLE" }, labels: { "joberror.io/class": "image" } });
	const resolved = record("resolved", { namespace: "b", spec: { resolved: true, code: "OOMKilled" } });
	for (const [change, want] of [
		[{}, [open]], [{ state: "resolved" }, [resolved]], [{ state: "all" }, [open, resolved]], [{ state: "all", ns: "b" }, [resolved]],
		[{ class: "image" }, [open]], [{ class: "data" }, []], [{ state: "all", code: "OOMKilled" }, [resolved]],
		[{ q: "table such" }, [open]], [{ q: "table nothing" }, []], [{ since: "1h" }, []], [{ since: "24h" }, [open]],
	]) {
		assert.deepEqual([open, resolved].filter(matcher({ ...DEFAULTS, ...change }, NOW)), want, JSON.stringify(change));
	}
});

test("errors are grouped by workload and code, the newest first", () => {
	const of = (name, job, uid, options = {}) => record(name, { ...options, status: { job: { name: job, uid }, ...options.status } });
	const records = [
		of("a", "nightly-1", "u1", { minutes: 9, labels: { "joberror.io/cronjob-name": "nightly" } }),
		of("b", "nightly-2", "u2", { minutes: 5, labels: { "joberror.io/cronjob-name": "nightly" } }),
		of("c", "nightly-2", "u2", { minutes: 1, labels: { "joberror.io/cronjob-name": "nightly" }, spec: { code: "OOMKilled" } }),
		of("d", "train-0", "u3", { minutes: 7 }),
		of("e", "import", "u4", { minutes: 8, status: { occurrences: 5 } }),
		of("f", "import-r1", "u5", { minutes: 3, labels: { "joberror.io/lineage": "u4" } }),
		record("g", { minutes: 20, spec: { _jobId: "namespace.joberror.io" } }),
		record("h", { minutes: 2, spec: { _jobId: "weekly", source: "cronjob", code: "MissSchedule" } }),
	];
	const workloads = groupErrors(records, new Map([["u3", { kind: "JobSet", name: "train" }]]), rootsOf(records));
	assert.deepEqual(workloads.map((w) => `${w.kind} ${w.name}: ${w.groups.map((g) => `${g.code} ${g.errors.map((e) => e.name)}`)}`), [
		"CronJob nightly: OOMKilled c,ExitCode:3 b,a",
		"CronJob weekly: MissSchedule h",
		"Job import: ExitCode:3 f,e",
		"JobSet train: ExitCode:3 d",
		"Namespace a: ExitCode:3 g",
	]);
	assert.deepEqual([workloads[2].count, workloads[0].groups[1].line], [6, "message of b"]);
});

test("rows in view are found by binary search", () => {
	const workloads = groupErrors(Array.from({ length: 50 }, (_, i) => record(`e${i}`, { minutes: i, spec: { _jobId: `job-${i >> 1}` } })), new Map(), new Map());
	const rows = toRows(workloads, new Set([workloads[0].groups[0].key]), new Set([workloads[1].key]));
	assert.deepEqual(rows.slice(0, 5).map((r) => r.type), ["workload", "code", "error", "error", "workload"]);
	assert.equal(rows[5].type, "workload", "a closed workload has no more rows");
	const tops = layOut(rows, { workload: 40, code: 30, error: 20 });
	assert.deepEqual([indexAt(tops, 0), indexAt(tops, 39), indexAt(tops, 40), indexAt(tops, 1e9)], [0, 0, 1, rows.length - 1]);
	assert.deepEqual(visible(tops, 0, 100, 2), [0, 6]);
	assert.deepEqual(visible(layOut([], {}), 0, 100), [0, 0]);
	const [first, last] = visible(tops, 1000, 1200, 0);
	assert.ok(tops[first] <= 1000 && tops[last] >= 1200 && last - first < 10);
});

test("the chart counts by local day", () => {
	const records = [record("a"), record("b", { minutes: 1, labels: { "joberror.io/class": "image" } }), record("c", { minutes: 24 * 60 }), record("old", { minutes: 40 * 24 * 60 })];
	const days = perDay(records, NOW);
	assert.equal(days.starts.length, 30);
	assert.equal(days.starts[29], startOfDay(NOW));
	assert.equal(days.starts[0], dayBefore(startOfDay(NOW), 29));
	assert.deepEqual(days.classes, ["image", "other"]);
	assert.deepEqual(days.totals.slice(-2), [1, 2]);
	assert.deepEqual(stack(days).map((s) => s.slice(-2)), [[0, 1], [1, 2]]);
	assert.equal(describe(days, () => "Thursday"), "3 errors in 30 days, most on Thursday (2): other 2, image 1.");
	assert.equal(describe(perDay([], NOW), String), "No errors in 30 days.");
});

test("a change is one request for each Job and 1,000 errors", () => {
	const of = (i, uid, resolved) => record(`e${i}`, { spec: { resolved }, status: { job: { name: "import", uid } } });
	const records = [...Array.from({ length: MOST_NAMES + 1 }, (_, i) => of(i, "u1")), of("x", "u2"), of("y", "u2", true)];
	assert.deepEqual(planChanges(records, true).map((r) => [r.job, r.names.length]), [["u1", 1000], ["u1", 1], ["u2", 1]]);
	assert.deepEqual(planChanges(records, false).map((r) => [r.job, r.names]), [["u2", ["ey"]]]);
	assert.equal(pathOf({ namespace: "a", job: "u1" }, false), "apis/resolve.joberror.io/v1/namespaces/a/jobs/u1/joberrors/unresolve");
});

test("tasks run a few at a time, and keep their order", async () => {
	let running = 0;
	let most = 0;
	const results = await inParallel([3, 1, 2, 5, 4], 2, async (n) => {
		most = Math.max(most, ++running);
		for (let i = 0; i < n; i++) await null;
		running--;
		return n * 10;
	});
	assert.deepEqual(results, [30, 10, 20, 50, 40]);
	assert.equal(most, 2);
});

test("only an answer in text means that the aggregated API is down", async () => {
	const answered = (body, status) => request(async () => respond(body, { status }), "apis/x").then(() => undefined, (err) => err);
	for (const [body, status, want] of [
		["service unavailable\n", 503, true], ["404 page not found", 404, true], ["bad gateway", 502, true],
		[{ kind: "Status", code: 503, message: "not now" }, 503, false], [{ kind: "Status", code: 404, message: "no such Job" }, 404, false],
		[{ kind: "Status", code: 502, reason: "APIServerUnreachable" }, 502, false], ["no", 403, false], ["no", 500, false],
	]) {
		const err = await answered(body, status);
		assert.ok(err instanceof APIError);
		assert.equal(isUnavailable(err), want, JSON.stringify(body));
	}
	assert.equal(isUnavailable(new Error("no")), false);
});

test("errors that are changed one by one fail one by one", async () => {
	const sent = [];
	const { updated, failures } = await changeEach({ namespace: "a", names: ["x", "y", "z"] }, true, async (path, options) => {
		sent.push([path, options.method, JSON.stringify(options.body)]);
		if (path.endsWith("/y")) throw new APIError(403, "Forbidden", "not you");
	});
	assert.equal(updated, 2);
	assert.deepEqual(failures, ["y: not you"]);
	assert.deepEqual(sent[0], ["apis/joberror.io/v1/namespaces/a/joberrors/x", "PATCH", '{"spec":{"resolved":true}}']);
});
