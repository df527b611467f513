// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Takes the screenshots of docs/console.md if SCREENSHOTS names a directory. It runs after the
// tests of the pages, so that there is a retry to show.

import { after, before, test } from "node:test";

import { ADMIN, open, startBrowser, startConsole } from "./console.mjs";

const directory = process.env.SCREENSHOTS;
let console, chromium;

before(async () => {
	console = await startConsole(ADMIN);
	chromium = await startBrowser();
});
after(async () => {
	await chromium.stop();
	await console.stop();
});

test("screenshots", { skip: !directory && "SCREENSHOTS is not set" }, async () => {
	const { page, base } = await open(chromium.browser, console.link);
	const size = (width, height) => page.setViewportSize({ width, height });
	const visit = async (query, selector) => {
		await page.goto(base + query);
		await page.locator(selector).first().waitFor();
		await page.locator(".connection.live").waitFor();
	};
	const shot = (name) => page.screenshot({ path: `${directory}/console-${name}.png`, animations: "disabled" });
	for (const [scheme, suffix] of [["light", ""], ["dark", "-dark"]]) {
		await page.emulateMedia({ colorScheme: scheme });
		await size(1280, 880);
		await visit("", ".row.code");
		await page.locator(".row.code", { hasText: "OOMKilled" }).first().click();
		await page.locator(".row.code", { hasText: "psycopg2" }).locator("input").click();
		await page.mouse.move(5, 5);
		await page.evaluate(() => scrollTo(0, 0));
		await shot(`list${suffix}`);
		await size(1280, 760);
		await visit("?error=payments/settle-ledger-0-1", ".event");
		await page.locator(".empty, .log").waitFor();
		await shot(`error${suffix}`);
		await visit("?job=default/nightly-report-1", ".run-errors");
		await shot(`job${suffix}`);
	}
	await page.emulateMedia({ colorScheme: "light" });
	await size(400, 800);
	await visit("?ns=payments", ".row.code");
	await shot("narrow");
});
