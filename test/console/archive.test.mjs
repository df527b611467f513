// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The history of a Job, from a real archive. ARCHIVE names its directory, and the namespace attic has
// what seedArchive created.

import assert from "node:assert/strict";
import { readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ADMIN, eventually, jobError, kubectl, NOBODY, open, startBrowser, startConsole, VIEWER } from "./console.mjs";

const { ARCHIVE } = process.env;
const ROWS = 110;
const name = (i) => `row-${String(i).padStart(3, "0")}`;

let chromium, page, base, problems;
const consoles = [];

before(async () => {
	chromium = await startBrowser();
	({ page, base, problems } = await start(ADMIN));
});
after(async () => {
	await chromium.stop();
	for (const c of consoles) await c.stop();
	assert.deepEqual(problems, [], "the page has no failure");
});

async function start(...args) {
	const c = await startConsole(...args);
	consoles.push(c);
	return open(chromium.browser, c.link, { timezoneId: "UTC" });
}

/** visit opens a Job of the namespace attic, and returns the locator of its history. */
async function visit(job, { page: p, base: b } = { page, base }) {
	await p.goto(`${b}?ns=attic&job=attic/${job}`);
	const history = p.locator(".history");
	await history.waitFor();
	return history;
}
const load = (history) => history.getByRole("button", { name: "Load archived errors" }).click();
const more = (history) => history.getByRole("button", { name: "Load more errors" });
const says = (history, text, kind = ".hint") => history.locator(kind, { hasText: text }).waitFor();
const messages = (history) => history.locator("summary .message").allTextContents();

test("archived errors come page by page, the last one first", async () => {
	let asked = 0;
	page.on("request", (r) => (asked += /archived=true/.test(r.url())));
	const history = await visit("import");
	assert.equal(asked, 0, "nothing is read before somebody asks for it");
	await load(history);
	await says(history, /^100 archived errors back to \d{4}-\d\d-\d\d\. That day may have more\.$/);
	await more(history).click();
	await says(history, `${ROWS} archived errors. There are no older ones.`);
	assert.equal(asked, 2);
	assert.deepEqual(await messages(history), Array.from({ length: ROWS }, (_, i) => `<b>${name(i)}</b> was refused`));
	assert.equal(await more(history).count(), 0);
	const first = history.locator("li").first();
	await first.locator("summary").click();
	assert.equal(await first.locator("summary .code").textContent(), "E42");
	assert.match(await first.locator("summary").textContent(), /data/);
	assert.match(await first.locator(".words").textContent(), /second line/);
	assert.match(await first.locator(".facts").textContent(), /Stateresolved.*Archived\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*Namerow-000/);
});

test("an error that was resolved moves to the history", async () => {
	const createdAt = new Date(Date.now() - 3_600_000).toISOString();
	for (const [error, code] of [["fixed", "E7"], ["other", "E8"]]) {
		await kubectl("create", "-f", "-", jobError("attic", error, { _jobId: "nightly", code, message: "no such table", createdAt }));
	}
	await page.goto(`${base}?ns=attic&error=attic/fixed`);
	await page.getByRole("button", { name: "Resolve" }).click();
	await page.getByRole("dialog").getByLabel("Reason").press("Enter");
	await page.locator("h2", { hasText: "There is no error fixed" }).waitFor();
	const history = await visit("nightly");
	await page.locator(".run-errors .code").first().waitFor();
	assert.deepEqual(await page.locator(".run-errors .code").allTextContents(), ["E8"]);
	await load(history);
	await says(history, "1 archived error. There are no older ones.");
	assert.equal(await history.locator("summary .code").textContent(), "E7");
	assert.equal(await history.locator("summary .age").textContent(), createdAt.slice(0, 19).replace("T", " "));
	await history.locator("summary").click();
	assert.match(await history.locator(".facts").textContent(), /Stateresolved.*Resolved byadmin/);
});

test("an error that expired is in the history of a Job that is gone", async () => {
	const history = await visit("long-gone");
	await page.locator("h2", { hasText: "Nothing is known of a Job long-gone" }).waitFor();
	await load(history);
	await says(history, "1 archived error. There are no older ones.");
	assert.deepEqual(await messages(history), ["<b>expired</b> was refused"]);
	await history.locator("summary").click();
	assert.match(await history.locator(".facts").textContent(), /Stateopen/);
});

test("a Job may have no archived errors", async () => {
	const history = await visit("never-failed");
	await load(history);
	await says(history, "The archive has no errors of this Job.", ".empty");
	assert.equal(await history.getByRole("button").count(), 0);
});

test("a user without rights sees nothing", async () => {
	const other = await start(NOBODY, "--namespace", "attic");
	const history = await visit("import", other);
	await load(history);
	await history.getByRole("alert").filter({ hasText: "You may not read archived errors in attic. The role view allows it." }).waitFor();
	assert.deepEqual(await messages(history), []);
	await other.context.close();
});

/** broken returns the path of an object of the first day that does not exist yet. */
async function broken() {
	const folder = join(ARCHIVE, (await readdir(ARCHIVE)).find((f) => f.startsWith("cluster=")), "namespace=attic");
	const day = join(folder, (await readdir(folder)).sort()[0]);
	const [file] = await readdir(day);
	return join(day, file.replace(/[0-9a-f]{24}(?=\.parquet$)/, "0".repeat(24)));
}

test("an archive that can't be read can be tried again", async () => {
	const object = await broken();
	await symlink(object, object);
	const history = await visit("long-gone");
	await load(history);
	await history.getByRole("alert").filter({ hasText: "The archive can't be read" }).waitFor();
	await rm(object);
	let free;
	const held = new Promise((resolve) => (free = resolve));
	await page.route(/archived=true/, (route) => held.then(() => route.continue()));
	await history.getByRole("button", { name: "Try again" }).click();
	await says(history, "Reading the archive…", ".empty");
	free();
	await says(history, "1 archived error. There are no older ones.");
	await page.unroute(/archived=true/);
});

test("a part that was skipped is said", async () => {
	await writeFile(await broken(), "not Parquet");
	const history = await visit("long-gone");
	await load(history);
	await says(history, "1 part of the archive was skipped", ".bad");
	assert.deepEqual(await messages(history), ["<b>expired</b> was refused"]);
});

test("a namespace that somebody else creates again has no history of the first one", async () => {
	const history = await visit("import");
	await load(history);
	await says(history, /^100 archived errors/);
	await kubectl("delete", "namespace", "attic");
	await kubectl("create", "namespace", "attic");
	await kubectl("create", "rolebinding", "viewer", "--clusterrole=view", "--user=viewer", "-n", "attic");
	await eventually(async () => (await kubectl("auth", "can-i", "list", "joberrors.joberror.io", "-n", "attic", "--as=viewer").catch(() => "no")).trim(), "yes");
	await more(history).click();
	await history.getByRole("alert").filter({ hasText: "The namespace was created again" }).waitFor();

	const other = await start(VIEWER, "--namespace", "attic");
	for (const job of ["import", "long-gone"]) {
		const again = await visit(job, other);
		await load(again);
		await says(again, "The archive has no errors of this Job.", ".empty");
	}
	await other.context.close();
});
