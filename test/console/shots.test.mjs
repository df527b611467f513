// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Takes the screenshots of docs/console.md if SCREENSHOTS names a directory.

import { after, before, test } from "node:test";

import { ADMIN, open, startBrowser, startConsole } from "./console.mjs";

const directory = process.env.SCREENSHOTS;
let console, browser;

before(async () => {
	console = await startConsole(ADMIN);
	browser = await startBrowser();
});
after(async () => {
	await browser.stop();
	await console.stop();
});

test("screenshots", { skip: !directory && "SCREENSHOTS is not set" }, async () => {
	const { page, context } = await open(browser.browser, console.link);
	const shot = async (name) => page.screenshot({ path: `${directory}/console-${name}.png` });
	const hide = "tr, .x";
	void hide;
	await page.locator(".row.workload").first().waitFor();
	const list = new URL(page.url()).origin + "/?since=30d&q=-x7k2p";
	const visit = async (query, selector) => {
		await page.goto(new URL(page.url()).origin + "/" + query);
		await page.locator(selector).first().waitFor();
		await page.locator(".connection.live").waitFor();
	};
	void list;
	for (const [scheme, suffix] of [["light", ""], ["dark", "-dark"]]) {
		await page.emulateMedia({ colorScheme: scheme });
		await page.setViewportSize({ width: 1280, height: 800 });
		await visit("?ns=warehouse", ".row.code");
		await page.locator(".row.code").nth(1).click();
		await page.locator(".row.code").nth(0).locator("input").click();
		await page.mouse.move(5, 5);
		await shot(`list${suffix}`);
	}
	await page.emulateMedia({ colorScheme: "light" });
	await visit("?error=payments/settle-ledger-0-0", ".event");
	await shot("error");
	await visit("?job=default/nightly-report-1", ".run-errors");
	await shot("job");
	await page.setViewportSize({ width: 400, height: 800 });
	await visit("?ns=payments", ".row.code");
	await shot("narrow");
	await context.close();
});
