// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ADMIN, eventually, jobError, kubectl, NOBODY, open, startBrowser, startConsole, VIEWER } from "./console.mjs";

let chromium;
const consoles = [];
before(async () => {
	chromium = await startBrowser();
});
after(async () => {
	await chromium.stop();
	for (const c of consoles) await c.stop();
});

const start = async (...args) => {
	const console = await startConsole(...args);
	consoles.push(console);
	return { console, ...(await open(chromium.browser, console.link)) };
};

test("a user without rights sees whom to ask for what", async () => {
	const { page, context } = await start(NOBODY, "--namespace", "shop");
	await page.locator("h2", { hasText: "You may not see the errors in namespace shop" }).waitFor();
	assert.match(await page.locator(".detail").first().textContent(), /User "nobody" cannot list/);
	await page.locator(".detail", { hasText: "--user=nobody -n shop" }).waitFor();
	await page.getByLabel("Another namespace").fill("payments");
	await page.getByRole("button", { name: "Show" }).click();
	await page.locator("h2", { hasText: "You may not see the errors in namespace payments" }).waitFor();
	await context.close();
});

test("a user of one namespace sees that one, and what is not allowed is off", async () => {
	const { page, context } = await start(VIEWER, "--namespace", "shop");
	await page.locator(".row.code").first().waitFor();
	assert.match(page.url(), /ns=shop/);
	await page.locator(".row.workload input").first().click();
	const resolve = page.getByRole("button", { name: /^Resolve \d+$/ });
	await page.locator(".bulk button.primary:disabled").waitFor();
	assert.match(await resolve.getAttribute("title"), /You may not resolve errors in shop/);
	await page.locator(".namespace input").fill("payments");
	await page.keyboard.press("Enter");
	await page.locator("h2", { hasText: "You may not see the errors in namespace payments" }).waitFor();
	await page.goBack();
	await page.locator(".row.code").first().waitFor();
	await context.close();
});

test("while the API server is down, the page says so, and then goes on", async () => {
	// The console reaches the API server through this proxy, which can be closed.
	const kubeconfig = await readFile(ADMIN, "utf8");
	const [, host, port] = /server: https:\/\/([^:]+):(\d+)/.exec(kubeconfig);
	const sockets = new Set();
	let isDown = false;
	const proxy = createServer((client) => {
		if (isDown) return client.destroy();
		const server = connect(Number(port), host);
		for (const s of [client, server]) {
			sockets.add(s);
			s.on("error", () => {}).on("close", () => { client.destroy(); server.destroy(); sockets.delete(s); });
		}
		client.pipe(server).pipe(client);
	});
	await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
	const directory = await mkdtemp(join(tmpdir(), "joberrors-kubeconfig-"));
	const path = join(directory, "config");
	await writeFile(path, kubeconfig.replace(/server: .*/, `server: https://127.0.0.1:${proxy.address().port}`), { mode: 0o600 });
	try {
		const { page, context } = await start(path);
		await page.goto(page.url() + "?ns=shop&q=down");
		await page.locator(".connection.live").waitFor();
		isDown = true;
		for (const s of sockets) s.destroy();
		await page.locator(".connection.reconnecting").waitFor();
		await page.locator(".banner", { hasText: "The errors are as of" }).waitFor();
		await page.reload();
		await page.locator("h2", { hasText: "The API server does not answer" }).waitFor();
		await kubectl("create", "-f", "-", jobError("shop", "down-1", { _jobId: "down", message: "while it was down" }));
		isDown = false;
		// The page also tries again without a click, perhaps at this moment.
		const row = page.locator(".row", { hasText: "while it was down" }).first();
		await Promise.any([page.getByRole("button", { name: "Try now" }).click(), row.waitFor()]);
		await row.waitFor();
		await page.locator(".connection.live").waitFor();
		await context.close();
	} finally {
		proxy.close();
		for (const s of sockets) s.destroy();
		await rm(directory, { recursive: true });
	}
});

test("while the aggregated API is down, errors are resolved and reopened directly", async () => {
	await kubectl("create", "-f", "-", jobError("shop", "direct-1", { _jobId: "direct", message: "resolved directly" }));
	const { page, context } = await start(ADMIN);
	// As the API server answers for an operator that it does not reach.
	await page.route(/apis\/resolve\.joberror\.io\//, (route) => route.fulfill({ status: 503, contentType: "text/plain", body: "service unavailable\n" }));
	await page.goto(page.url() + "?ns=shop&q=directly");
	await page.locator(".row.workload input").first().click();
	await page.fill(".bulk input", "why");
	await page.getByRole("button", { name: "Resolve 1" }).click();
	await page.locator(".toast", { hasText: "changed directly. The reason was not recorded." }).waitFor();
	await page.locator(".banner", { hasText: "kubectl joberrors check" }).waitFor();
	const state = () => kubectl("get", "je", "-n", "shop", "direct-1", "-o", "jsonpath={.spec.resolved} {.status.resolvedBy}");
	await eventually(state, "true admin");
	await page.keyboard.press("u");
	await page.locator(".toast", { hasText: "Undone" }).waitFor();
	await eventually(state, "false ");
	await page.locator(".row.code").first().waitFor();
	await page.keyboard.press("j");
	await page.keyboard.press("r");
	await page.getByRole("button", { name: "Run again" }).click();
	await page.getByRole("alert").filter({ hasText: "nothing can be run again from here" }).waitFor();
	await context.close();
});

test("without an archive, the history of a Job says so", async () => {
	const { page, context } = await start(ADMIN);
	await page.goto(page.url() + "?ns=shop&job=shop/import");
	await page.getByRole("button", { name: "Load archived errors" }).click();
	await page.locator(".history .empty", { hasText: "runs without --archive-url" }).waitFor();
	assert.equal(await page.locator(".history").getByRole("button").count(), 0);
	await context.close();
});

test("after Ctrl-C, the page says how to go on", async () => {
	const { console, page, context } = await start(VIEWER, "--namespace", "shop");
	await page.locator(".row.code").first().waitFor();
	assert.equal(await console.stop(), 0);
	await page.locator(".banner", { hasText: "Run kubectl joberrors ui again" }).waitFor();
	await context.close();
});

test("a namespace without errors is all clear", async () => {
	const { page, context } = await start(ADMIN, "--namespace", "kube-system");
	await page.route(/joberrors\?limit/, (route) => route.fulfill({ json: { kind: "JobErrorList", metadata: { resourceVersion: "0" }, items: [] } }));
	await page.route(/joberrors\?watch/, (route) => route.fulfill({ status: 200, body: "" }));
	await page.reload();
	await page.locator("h2", { hasText: "No open errors" }).waitFor();
	await page.route(/joberrors\?limit/, (route) => route.fulfill({ status: 404, json: { kind: "Status", code: 404, message: "the server could not find the requested resource" } }));
	await page.reload();
	await page.locator("h2", { hasText: "The operator is not installed" }).waitFor();
	await context.close();
});
