// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ADMIN, open, press, startBrowser, startConsole } from "./console.mjs";

let console, chromium, page, base;

before(async () => {
	console = await startConsole(ADMIN);
	chromium = await startBrowser();
	({ page, base } = await open(chromium.browser, console.link));
});
after(async () => {
	await chromium.stop();
	await console.stop();
});

const visit = async (query) => {
	await page.goto(base + query);
	await page.locator(".connection.live").waitFor({ timeout: 120_000 });
};
const until = async (text, locator = ".summary") => page.locator(locator, { hasText: text }).first().waitFor();

test("10,000 open errors stay fast", async () => {
	await visit("?ns=many");
	await until("10,000 errors in 100 workloads");
	assert.ok((await page.locator(".row").count()) < 100, "only rows in view are in the page");
	await page.locator("#main").click({ position: { x: 2, y: 2 } });
	await press(page, "End");
	await page.locator(".row.active").waitFor();
	assert.equal(await page.locator(".row.active").getAttribute("aria-rowindex"), await page.locator("[role=treegrid]").getAttribute("aria-rowcount"));
	assert.ok(await page.locator(".row.active").isVisible());
	await page.fill("#search", "row 4242 was");
	await until("1 error in 1 workload");
	await page.fill("#search", "");
	await until("10,000 errors in 100 workloads");
	await page.locator("#search").blur();
	await press(page, "a");
	await until("10,000 errors", ".bulk");
	await press(page, "Escape");
	await page.locator(".bulk").waitFor({ state: "detached" });
});
