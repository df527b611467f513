// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Starts consoles and the browser for the tests.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const { PLUGIN, KUBECTL } = process.env;
export const { ADMIN, VIEWER, EDITOR, NOBODY } = process.env;

// The second one is on the machines of GitHub Actions.
const CHROMIUM = process.env.CHROMIUM || ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

/** startConsole runs kubectl joberrors ui, and returns its link and a function that stops it as Ctrl-C does. */
export async function startConsole(kubeconfig, ...args) {
	const process = spawn(PLUGIN, ["ui", "--kubeconfig", kubeconfig, "--open=false", ...args], { stdio: ["ignore", "pipe", "inherit"] });
	const ended = new Promise((resolve) => process.on("exit", (code) => resolve(code)));
	for await (const line of createInterface({ input: process.stdout })) {
		const link = /http:\S+/.exec(line)?.[0];
		if (link) return { link, origin: new URL(link).origin, stop: () => (process.kill("SIGINT"), ended) };
	}
	throw new Error(`the console ended: ${await ended}`);
}

/** startBrowser starts Chromium. The library gives it a new profile. */
export async function startBrowser() {
	const browser = await chromium.launch({
		executablePath: CHROMIUM,
		args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync",
			// A name of another site that resolves to this machine, as an attacker would arrange it.
			"--host-resolver-rules=MAP evil.example 127.0.0.1"],
	});
	return { browser, stop: () => browser.close() };
}

/** open opens a console in a new page, which fails the test if a script fails or the policy is broken. */
export async function open(browser, link, { query = "", ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
	const page = await context.newPage();
	const problems = [];
	page.on("pageerror", (err) => problems.push(err.message));
	page.on("console", (m) => /Content Security Policy|Refused/.test(m.text()) && problems.push(m.text()));
	await page.goto(link);
	const base = new URL("./", page.url()).href;
	if (query) await page.goto(base + query);
	return { page, context, base, problems };
}

/** press presses a key, and waits until the page is drawn again. */
export async function press(page, key) {
	await page.keyboard.press(key);
	await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 0)))));
}

/** eventually waits until a check returns what is wanted. */
export async function eventually(check, want) {
	const end = Date.now() + 30_000;
	for (;;) {
		const got = await check();
		if (got === want) return;
		if (Date.now() > end) assert.equal(got, want);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

/** kubectl runs kubectl as the administrator. */
export async function kubectl(...args) {
	const input = args.at(-1)?.input;
	const running = promisify(execFile)(KUBECTL, ["--kubeconfig", ADMIN, ...args.filter((a) => typeof a === "string")]);
	if (input) running.child.stdin.end(input);
	return (await running).stdout;
}

/** jobError returns the manifest of an error. */
export const jobError = (namespace, name, spec) => ({ input: JSON.stringify({ apiVersion: "joberror.io/v1", kind: "JobError", metadata: { namespace, name }, spec }) });
