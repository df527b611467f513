// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { errorTimeline, lineageOf, lineageTimeline, retryState } from "../static/lib/timeline.mjs";
import { at, record } from "./helpers.mjs";

const titles = (events) => events.map((e) => e.title);

const resolution = (name, minutes, spec, errors) => ({
	metadata: { name, creationTimestamp: at(minutes) },
	spec: { _jobId: "import", requestedBy: "alice", ...spec },
	status: { updated: errors.length, errors },
});

const retry = (attempt, minutes, conditions, job = { name: `import-r${attempt}`, uid: `r${attempt}` }) => ({
	metadata: { name: `again-${attempt}`, creationTimestamp: at(minutes) },
	spec: { _jobId: "import", requestedBy: "bob", reason: "fixed" },
	status: { job, root: { name: "import", uid: "u1" }, attempt, resolved: 2, completedAt: at(minutes - 1), conditions },
});

const succeeded = [{ type: "Complete", status: "True" }, { type: "Succeeded", status: "True" }];
const failed = [{ type: "Complete", status: "True" }, { type: "Succeeded", status: "False", message: "it failed" }];

test("the state of a retry", () => {
	assert.equal(retryState(retry(1, 9, [])).state, "running");
	assert.equal(retryState(retry(1, 9, succeeded)).state, "succeeded");
	assert.equal(retryState(retry(1, 9, failed)).state, "failed");
	assert.equal(retryState(retry(1, 9, failed, null)).state, "refused");
});

test("what happened to an error, in order", () => {
	const e = record("e", { minutes: 60, spec: { resolved: true }, status: { occurrences: 3, firstSeen: at(60), lastSeen: at(40), resolvedBy: "alice", resolvedAt: at(5), resolution: "third" } });
	const resolutions = [
		resolution("third", 5, { reason: "fixed it" }, ["e"]), resolution("first", 30, {}, ["e"]),
		resolution("second", 20, { resolved: false }, ["e"]), resolution("other", 10, {}, ["another"]),
	];
	assert.deepEqual(titles(errorTimeline(e, resolutions, [retry(1, 15, failed)])), [
		"First seen", "Last seen, 3 times in all", "Resolved by alice", "Reopened by alice", "Retried as import-r1 by bob", "import-r1 failed", "Resolved by alice",
	]);
});

test("a resolution without a record is shown too", () => {
	const status = (reason, resolvedAt) => ({ conditions: [{ type: "Resolved", reason, lastTransitionTime: at(3) }], resolvedAt });
	const automatic = record("e", { minutes: 9, spec: { resolved: true }, status: status("JobSucceeded", at(3)) });
	assert.deepEqual(errorTimeline(automatic, [], []).map((e) => [e.title, e.text]).at(-1), ["Resolved", "The same work succeeded"]);
	const reopened = record("e", { minutes: 9, status: status("Reopened") });
	assert.deepEqual(titles(errorTimeline(reopened, [], [])), ["Happened", "Reopened"]);
});

test("a lineage has the first Job and its retries, whichever one is asked for", () => {
	const of = (name, job, uid, lineage) => record(name, { minutes: 50, labels: lineage ? { "joberror.io/lineage": lineage } : {}, status: { job: { name: job, uid } } });
	const records = [of("a", "import", "u1"), of("b", "import-r1", "r1", "u1"), of("c", "import", "older"), of("d", "other", "u9")];
	const retries = [retry(2, 5, []), retry(1, 20, failed)];
	const jobs = new Map([["r2", { status: { startTime: at(5) } }]]);
	for (const asked of [{ name: "import", uid: "u1" }, { name: "import-r1", uid: "r1" }, { name: "import-r2", uid: "r2" }]) {
		const lineage = lineageOf(asked, records, retries, jobs);
		assert.deepEqual(lineage.runs.map((r) => [r.name, r.state, r.errors.map((e) => e.name).join()]), [
			["import", "failed", "a"], ["import-r1", "failed", "b"], ["import-r2", "running", ""],
		], JSON.stringify(asked));
	}
	const lineage = lineageOf({ name: "import", uid: "u1" }, records, retries, jobs);
	assert.deepEqual(titles(lineageTimeline(lineage, [resolution("x", 1, {}, ["a"])])), [
		"ExitCode:3 in import", "ExitCode:3 in import-r1", "Retried as import-r1 by bob", "import-r1 failed", "Retried as import-r2 by bob", "Resolved by alice",
	]);
});

test("a Job that was only named has a lineage too", () => {
	const lineage = lineageOf({ name: "import", uid: "" }, [record("a")], [], new Map());
	assert.deepEqual(lineage.runs.map((r) => [r.name, r.errors.length, r.state]), [["import", 1, "failed"]]);
});
