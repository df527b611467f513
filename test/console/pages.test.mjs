// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ADMIN, EDITOR, jobError, kubectl, open, press, startBrowser, startConsole } from "./console.mjs";

let console, editor, chromium, page, base, problems;

before(async () => {
	console = await startConsole(ADMIN);
	editor = await startConsole(EDITOR, "--namespace", "shop");
	chromium = await startBrowser();
	({ page, base, problems } = await open(chromium.browser, console.link));
	await page.locator(".connection.live").waitFor();
});
after(async () => {
	await chromium.stop();
	await console.stop();
	await editor.stop();
	assert.deepEqual(problems, [], "the page has no failure");
});

const visit = (query) => page.goto(base + query);

test("an error has its last words, facts, and what happened", async () => {
	await visit("?ns=payments&q=oom");
	await page.locator(".row.code").first().click();
	await page.locator(".row.error").first().click();
	await page.locator("h1", { hasText: "OOMKilled" }).waitFor();
	assert.match(await page.locator(".words").textContent(), /more memory than its limit/);
	await page.locator(".empty", { hasText: "The pod no longer exists" }).waitFor();
	assert.match(await page.locator(".facts").textContent(), /settle-ledger/);
	await page.keyboard.press("e");
	await page.getByRole("dialog").getByLabel("Reason").fill("more memory");
	await page.keyboard.press("Enter");
	await page.locator(".event.resolved", { hasText: "more memory" }).waitFor();
	await page.keyboard.press("u");
	await page.locator(".event.reopened").waitFor();
	await page.keyboard.press("Escape");
	await page.locator(".row.code").first().waitFor();
	assert.match(page.url(), /q=oom/, "the filters are kept");
});

test("an error shows the log of its pod", async () => {
	// kwok's pods have no log, so the answer of the API server is made up.
	await page.route(/\/log\?/, (route) => route.fulfill({ status: 200, contentType: "text/plain", body: "line 1\n<b>line 2</b>\n" }));
	const name = (await kubectl("get", "je", "-n", "shop", "--field-selector=spec._jobId=import,spec.code=ExitCode:3", "-o", "jsonpath={.items[0].metadata.name}")).trim();
	await visit(`?error=shop/${name}`);
	await page.locator(".log").waitFor();
	assert.equal(await page.locator(".log").textContent(), "line 1\n<b>line 2</b>\n");
	await page.unroute(/\/log\?/);
});

test("a retry runs a Job again, and its success resolves the errors", async () => {
	await visit("?job=default/nightly-report-1");
	await page.locator(".run-errors").waitFor();
	await kubectl("patch", "cronjob", "nightly-report", "--type=json", "-p", '[{"op":"remove","path":"/spec/jobTemplate/spec/template/metadata/annotations"}]');
	await page.keyboard.press("r");
	await page.getByRole("dialog").getByLabel("Reason").fill("the warehouse answers");
	await page.keyboard.press("Enter");
	await page.locator(".toast", { hasText: "nightly-report-1-r1 was started" }).waitFor();
	await page.locator(".event.succeeded", { hasText: "nightly-report-1-r1 succeeded" }).waitFor();
	await page.locator(".run", { hasText: "retry 1" }).locator(".state.succeeded").waitFor();
	await page.getByRole("button", { name: "All resolved" }).waitFor();
	await page.locator(".advice", { hasText: "succeeded" }).waitFor();
	// A page that is opened by its address may read the Jobs before it has the errors.
	await visit("?job=default/nightly-report-1");
	const run = page.locator(".run", { hasText: "nightly-report-1-r1" });
	await run.waitFor();
	assert.equal(await run.locator(".hint").first().textContent(), "retry 1");
});

test("a retry that is refused says why", async () => {
	const other = await open(chromium.browser, editor.link);
	await other.page.goto(other.base + "?ns=shop&job=shop/import");
	await other.page.locator(".run-errors").waitFor();
	await other.page.getByRole("button", { name: "Retry" }).click();
	await other.page.getByRole("button", { name: "Run again" }).click();
	await other.page.locator(".toast", { hasText: "import-r1 was started" }).waitFor();
	await other.page.locator(".run", { hasText: "retry 1" }).locator(".state.failed").waitFor();
	await other.page.route("**/retry", async (route) => {
		await kubectl("create", "-f", "-", { input: JSON.stringify({ apiVersion: "joberror.io/v1", kind: "JobErrorRetry", metadata: { namespace: "shop", name: "first" }, spec: { _jobId: "import", set: [{ container: "none" }] } }) });
		await route.continue({ postData: JSON.stringify({ set: [{ container: "none", args: ["x"] }] }) });
	});
	await other.page.getByRole("button", { name: "Retry" }).click();
	await other.page.getByRole("button", { name: "Run again" }).click();
	await other.page.getByRole("alert").filter({ hasText: "container" }).waitFor();
	await other.context.close();
});

test("an error that is gone has no keys", async () => {
	await kubectl("create", "-f", "-", jobError("shop", "gone", { _jobId: "gone", message: "soon gone" }));
	await visit("?error=shop/gone");
	await page.locator(".words", { hasText: "soon gone" }).waitFor();
	await press(page, "e");
	await page.getByRole("dialog").waitFor();
	await press(page, "Escape");
	await page.getByRole("dialog").waitFor({ state: "detached" });
	await kubectl("delete", "je", "-n", "shop", "gone");
	await page.locator("h2", { hasText: "There is no error gone" }).waitFor();
	await press(page, "e");
	assert.equal(await page.getByRole("dialog").count(), 0);
});

test("what does not exist is said", async () => {
	await visit("?error=shop/no-such-error");
	await page.locator("h2", { hasText: "There is no error no-such-error" }).waitFor();
	await visit("?job=shop/no-such-job");
	await page.locator("h2", { hasText: "Nothing is known of a Job no-such-job" }).waitFor();
});
