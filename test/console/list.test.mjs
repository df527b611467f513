// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ADMIN, eventually, jobError, kubectl, open, press, startBrowser, startConsole } from "./console.mjs";

let console, chromium, page, base, problems;

before(async () => {
	console = await startConsole(ADMIN);
	chromium = await startBrowser();
	({ page, base, problems } = await open(chromium.browser, console.link));
	await page.locator(".connection.live").waitFor();
});
after(async () => {
	await chromium.stop();
	await console.stop();
	assert.deepEqual(problems, [], "the page has no failure");
});

const visit = async (query) => {
	await page.goto(base + query);
	await page.locator(".connection.live").waitFor();
};
const workload = (name) => page.locator(".row.workload", { has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) });
const codes = () => page.locator(".row.code .code").allTextContents();
const until = async (text, locator = ".summary") => page.locator(locator, { hasText: text }).first().waitFor();

/** spec returns whether an error is resolved, and by whom. */
const resolved = async (namespace, name) => kubectl("get", "je", "-n", namespace, name, "-o", "jsonpath={.spec.resolved} {.status.resolvedBy}");

test("errors are grouped by workload and code", async () => {
	await visit("?ns=warehouse");
	await until("23 errors in 2 workloads");
	assert.deepEqual(await page.locator(".row.workload .name").allTextContents(), ["nightly-import", "refresh-marts"]);
	assert.deepEqual((await codes()).sort(), ["FailedMount", "NodeLost", "duplicate_key", "invalid_date"]);
	await visit("?ns=shop");
	await until("storefront", ".row.workload");
	assert.match(await workload("storefront").textContent(), /Helm release/);
	assert.match(await workload("import").textContent(), /^Jobimport/);
});

test("filters are in the URL, and come back from it", async () => {
	await visit("?ns=warehouse");
	await page.fill("#search", "c-1001 duplicate");
	await until("6 errors in 1 workload");
	assert.equal(new URL(page.url()).search, "?ns=warehouse&q=c-1001+duplicate");
	await page.getByRole("button", { name: "resolved", exact: true }).click();
	await until("35 errors");
	await page.reload();
	await until("35 errors");
	assert.equal(await page.inputValue("#search"), "c-1001 duplicate");
	await page.goBack();
	await until("6 errors in 1 workload");
	await page.getByRole("button", { name: "Clear" }).click();
	await page.getByRole("button", { name: /^configuration/ }).click();
	await until("FailedMount", ".row .code");
	assert.match(page.url(), /class=configuration/);
	await page.fill("#search", "no such text at all");
	await page.getByRole("button", { name: "Clear the filters" }).click();
	await until("errors in");
});

test("a new error appears at once, and a deleted one goes", async () => {
	await visit("?ns=shop&q=live");
	await kubectl("create", "-f", "-", jobError("shop", "live-1", { _jobId: "live-job", code: "E1", message: "<img src=x onerror=alert(1)> & <b>text</b>" }));
	await until("1 error in 1 workload");
	assert.equal(await page.locator(".row.code .message").textContent(), "<img src=x onerror=alert(1)> & <b>text</b>", "a message is text, never HTML");
	await kubectl("delete", "je", "-n", "shop", "live-1");
	await until("No error matches", "h2");
});

test("resolve in bulk with a reason, and undo", async () => {
	await visit("?ns=payments&q=settle");
	await until("7 errors in 1 workload");
	await workload("settle-ledger").locator("input[type=checkbox]").click();
	await until("7 errors of", ".bulk");
	await page.fill(".bulk input", "the database answers again");
	await page.getByRole("button", { name: "Resolve 7" }).click();
	await until("Resolved 7 errors", ".toast");
	await until("No error matches", "h2");
	await eventually(() => resolved("payments", "settle-ledger-0-0"), "true admin");
	const reasons = await kubectl("get", "jer", "-n", "payments", "-o", "jsonpath={.items[*].spec.reason}");
	assert.match(reasons, /the database answers again/);
	await page.getByRole("button", { name: "Undo" }).click();
	await until("7 errors in 1 workload");
	await eventually(() => resolved("payments", "settle-ledger-0-0"), "false ");
});

test("while a change is under way, the next one waits, and its reason is kept", async () => {
	for (const name of ["busy-1", "busy-2"]) await kubectl("create", "-f", "-", jobError("shop", name, { _jobId: "busy", code: name, message: "busy" }));
	await visit("?ns=shop&q=busy");
	await until("2 errors in 1 workload");
	let free;
	const held = new Promise((resolve) => (free = resolve));
	await page.route("**/joberrors/resolve", (route) => held.then(() => route.continue()));
	const select = (code) => page.locator(".row.code", { hasText: code }).locator("input").click();
	const submit = page.locator(".bulk button.primary");
	await select("busy-1");
	await submit.click();
	await page.locator(".toast progress").waitFor();
	await select("busy-2");
	await page.fill(".bulk input", "kept");
	await page.locator(".bulk button.primary:disabled").waitFor();
	assert.match(await submit.getAttribute("title"), /Another change is under way/);
	await page.locator(".bulk input").press("Enter");
	await page.locator(".bulk input").press("Escape");
	await press(page, "e");
	const dialog = page.getByRole("dialog");
	await dialog.getByText("Another change is under way").waitFor();
	await dialog.getByLabel("Reason").fill("kept in the dialog");
	await dialog.getByLabel("Reason").press("Enter");
	free();
	await page.locator("dialog button.primary:enabled").waitFor();
	assert.equal(await dialog.getByLabel("Reason").inputValue(), "kept in the dialog");
	await dialog.getByRole("button", { name: "Cancel" }).click();
	assert.equal(await page.inputValue(".bulk input"), "kept");
	await submit.click();
	await eventually(() => resolved("shop", "busy-2"), "true admin");
	await page.unroute("**/joberrors/resolve");
});

test("everything works with the keyboard", async () => {
	await visit("?ns=warehouse");
	await page.locator(".row.code").first().waitFor();
	await press(page, "j");
	await press(page, "j");
	const active = () => page.locator(".row.active .main").textContent();
	const first = await active();
	await press(page, "Enter");
	assert.equal(await page.locator(".row.active").getAttribute("aria-expanded"), "true");
	await press(page, "j");
	assert.match(await active(), /nightly-import-/);
	await press(page, "k");
	assert.equal(await active(), first);
	await press(page, "ArrowLeft");
	assert.equal(await page.locator(".row.active").getAttribute("aria-expanded"), "false");
	const id = await page.locator("[role=treegrid]").getAttribute("aria-activedescendant");
	assert.equal(await page.locator(".row.active").getAttribute("id"), id);
	await press(page, "x");
	await page.locator(".bulk").waitFor();
	await press(page, "e");
	await page.getByRole("dialog").waitFor();
	await page.keyboard.type("typed");
	await press(page, "Enter");
	await until("Resolved", ".toast");
	await press(page, "u");
	await until("Undone", ".toast");
	await press(page, "/");
	await page.keyboard.type("marts x");
	assert.equal(await page.inputValue("#search"), "marts x", "keys are text in a field");
	await press(page, "Escape");
	await press(page, "?");
	await page.getByRole("dialog").waitFor();
	await press(page, "Escape");
	await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("a page of 400 px has all that is needed", async () => {
	await page.setViewportSize({ width: 400, height: 800 });
	await visit("?ns=warehouse");
	await page.locator(".row.code").first().waitFor();
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the screen");
	await page.locator(".row.code input").first().click();
	const bulk = await page.locator(".bulk").boundingBox();
	assert.ok(bulk.x >= 0 && bulk.x + bulk.width <= 400);
	await page.keyboard.press("Escape");
	for (const query of ["?error=warehouse/refresh-marts-6-0", "?job=shop/import"]) {
		await visit(query);
		await page.locator(".event").first().waitFor();
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), query);
	}
	await page.setViewportSize({ width: 1280, height: 800 });
});

test("the chart has a text and a table", async () => {
	await visit("?ns=payments");
	await page.locator(".plot canvas").waitFor();
	assert.match(await page.getByRole("img", { name: /errors in 30 days, most on/ }).getAttribute("aria-label"), /application \d+/);
	await page.getByRole("button", { name: "Table" }).click();
	assert.ok((await page.locator("table tbody tr").count()) > 5);
});
