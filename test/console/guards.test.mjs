// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";

import { ADMIN, kubectl, open, startBrowser, startConsole } from "./console.mjs";

let console, chromium, page, base, cookie;

const LIST = "apis/joberror.io/v1/joberrors?limit=1";
const RESOLVE = "apis/resolve.joberror.io/v1/namespaces/shop/jobs/import/joberrors/resolve";

before(async () => {
	console = await startConsole(ADMIN);
	chromium = await startBrowser();
	const opened = await open(chromium.browser, console.link);
	({ page, base } = opened);
	[cookie] = await opened.context.cookies();
	await page.locator(".connection.live").waitFor();
});
after(async () => {
	await chromium.stop();
	assert.equal(await console.stop(), 0, "Ctrl-C is a clean end");
});

/** send sends a request as a program that has stolen the cookie, and returns the status code. */
function send(path, { method = "GET", headers = {}, body } = {}) {
	return new Promise((resolve, reject) => {
		const r = request(base + path, { method, headers: { Cookie: `${cookie.name}=${cookie.value}`, ...headers } }, (response) => {
			response.resume().on("end", () => resolve(response.statusCode));
		});
		r.on("error", reject).end(body);
	});
}

test("the secret leaves the address bar, and works once", async () => {
	assert.match(base, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/$/);
	assert.equal(page.url(), base);
	assert.equal(cookie.path, new URL(base).pathname);
	assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
	assert.equal(await page.evaluate(() => document.cookie), "");
	const other = await open(chromium.browser, console.link);
	assert.match(await other.page.textContent("body"), /already used/);
	assert.equal((await other.context.cookies()).length, 0);
	await other.context.close();
});

test("another Host is refused", async () => {
	assert.equal(await send(LIST), 200);
	assert.equal(await send(LIST, { headers: { Host: "evil.example" } }), 421);
});

test("another Origin is refused", async () => {
	const json = { "Content-Type": "application/json" };
	assert.equal(await send(LIST, { headers: { Origin: "https://evil.example" } }), 403);
	assert.equal(await send(RESOLVE, { method: "PUT", headers: { ...json, Origin: "https://evil.example" }, body: "{}" }), 403);
	assert.equal(await send(RESOLVE, { method: "PUT", headers: json, body: "{}" }), 403);
});

test("without the cookie, nothing is served", async () => {
	for (const path of ["", "app.mjs", "settings.json", LIST]) assert.equal(await send(path, { headers: { Cookie: "" } }), 401, path);
});

test("what is not on the list is not forwarded", async () => {
	for (const path of ["api/v1/secrets", "api/v1/namespaces/shop/pods", "apis/joberror.io/v1/%2e%2e/secrets", "version"]) {
		assert.equal(await send(path), 404, path);
		assert.equal(await page.evaluate(async (p) => (await fetch(p)).status, path), 404, path);
	}
	assert.equal(await send("apis/batch/v1/jobs?watch=1"), 403);
});

test("without the prefix, nothing is served, not even with the cookie", async () => {
	for (const path of ["", "app.mjs", LIST]) {
		assert.equal(await page.evaluate(async (url) => (await fetch(url)).status, `/${path}`), 401, path);
	}
});

// To a browser, another port of 127.0.0.1 is the same site: if a page of it knew the prefix, as these
// do, the browser would send the cookie with its requests, and only the other guards could refuse them.
for (const host of ["127.0.0.1", "localhost", "evil.example"]) {
	test(`a page of ${host} on another port can neither send a form, nor read, nor frame the console`, async () => {
		const seen = [];
		const cookies = [];
		const form = (id, type) => `<form id="${id}" method="post" enctype="${type}" action="${base}apis/resolve.joberror.io/v1/namespaces/shop/jobs/import/retry"><input name='{"a":"' value='"}'></form>`;
		const evil = createServer((request, response) => {
			cookies.push(request.headers.cookie);
			response.setHeader("Content-Type", "text/html");
			response.end(`<!doctype html>${form("text", "text/plain")}${form("urlencoded", "application/x-www-form-urlencoded")}<iframe id="frame"></iframe>`);
		});
		await new Promise((resolve) => evil.listen(0, "127.0.0.1", resolve));
		try {
			const other = await page.context().newPage();
			other.on("response", (r) => r.url().startsWith(console.origin) && seen.push(r.status()));
			const address = `http://${host}:${evil.address().port}/`;
			for (const id of ["text", "urlencoded"]) {
				await other.goto(address);
				await other.evaluate((form) => document.getElementById(form).submit(), id);
				await other.waitForURL((url) => url.origin === console.origin);
			}
			assert.deepEqual(seen.splice(0), [403, 403]);
			await other.goto(address);
			const read = await other.evaluate(async (url) => fetch(url, { credentials: "include", mode: "no-cors" }).then((r) => r.type, () => "refused"), base + LIST);
			assert.notEqual(read, "basic");
			const write = await other.evaluate(async (url) => fetch(url, { method: "PUT", credentials: "include", headers: { "Content-Type": "application/json" }, body: "{}" }).then(() => "sent", () => "refused"), base + RESOLVE);
			assert.equal(write, "refused");
			await other.evaluate((url) => { document.getElementById("frame").src = url; }, base);
			const frame = await other.waitForEvent("requestfinished", { predicate: (r) => r.url() === base, timeout: 5000 }).catch(() => undefined);
			assert.ok(!frame || (await frame.response()).status() === 403, "a frame shows nothing");
			await other.close();
			assert.ok(cookies.length > 2 && cookies.every((c) => c === undefined), "another port gets no cookie");
		} finally {
			evil.close();
		}
		const open = await kubectl("get", "je", "-n", "shop", "--field-selector=spec._jobId=import,spec.resolved=true", "-o", "name");
		assert.equal(open, "", "nothing was resolved");
		assert.equal(await kubectl("get", "jet", "-n", "shop", "-o", "name"), "", "nothing was retried");
	});
}

test("a name that resolves to this machine does not open the console", async () => {
	const other = await page.context().newPage();
	const response = await other.goto(`http://evil.example:${new URL(console.origin).port}/`);
	assert.equal(response.status(), 421);
	await other.close();
});

test("the page keeps to its policy", async () => {
	const blocked = await page.evaluate(async () => {
		const violations = [];
		document.addEventListener("securitypolicyviolation", (e) => violations.push(e.effectiveDirective));
		const script = document.createElement("script");
		script.textContent = "window.injected = true";
		document.body.append(script);
		await fetch("https://evil.example/").catch(() => {});
		await new Promise((resolve) => setTimeout(resolve, 50));
		return { violations, injected: window.injected };
	});
	assert.deepEqual(blocked.violations.sort(), ["connect-src", "script-src-elem"]);
	assert.equal(blocked.injected, undefined);
});
