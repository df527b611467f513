// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Keeps a copy of a list of objects, and follows it with a watch.

import { APIError, lines, listAll, REASONS, request } from "./api.mjs";

/** finalPhase returns the phase after an answer that will not change by trying again, or "". */
function finalPhase(err) {
	if (err.reason === REASONS.session) return "session";
	return { 403: "forbidden", 404: "missing" }[err.code] ?? "";
}

/** delayOf returns how long to wait before a try, in milliseconds: from 1 to 30 s, with jitter. */
export function delayOf(failures, random) {
	return Math.min(30_000, 1000 * 2 ** (failures - 1)) * (0.75 + random() / 2);
}

/**
 * Feed lists objects and follows them. onChange is called after each change of objects, a Map by
 * namespace/name. onState is called with the phase: loading, live, reconnecting (with retryAt),
 * or forbidden, missing, session, with which it has ended.
 */
export class Feed {
	constructor({ fetch, path, convert, onChange, onState, sleep, now = Date.now, random = Math.random }) {
		Object.assign(this, { fetch, path, convert, onChange, onState, now, random });
		this.sleep = sleep ?? this.wait;
		this.objects = new Map();
		this.loadedOnce = false;
	}

	/** start lists and watches until stop. */
	start() {
		this.stop();
		this.controller = new AbortController();
		this.done = this.run(this.controller.signal);
	}

	/** stop ends the requests. The objects stay. */
	stop() {
		this.controller?.abort();
	}

	/** hurry ends the wait before the next try. */
	hurry() {
		this.wake?.();
	}

	async run(signal) {
		let version = "";
		let failures = 0;
		while (!signal.aborted) {
			try {
				if (!version) version = await this.list(signal);
				this.loadedOnce = true;
				const started = this.now();
				version = await this.watch(version, signal, () => {
					failures = 0;
				});
				// A watch that ends at once would otherwise make a busy loop.
				if (this.now() - started < 1000) await this.sleep(1000, signal);
			} catch (err) {
				if (signal.aborted) return;
				if (err.code === 410) {
					version = "";
					continue;
				}
				const final = finalPhase(err);
				if (final) {
					this.onState({ phase: final, message: err.message });
					return;
				}
				failures++;
				const delay = delayOf(failures, this.random);
				this.onState({ phase: "reconnecting", message: err.message, reason: err.reason ?? "", retryAt: this.now() + delay, loaded: this.loadedOnce });
				await this.sleep(delay, signal);
			}
		}
	}

	/** list replaces the objects, and returns the version that the list has. */
	async list(signal) {
		if (!this.loadedOnce) this.onState({ phase: "loading", count: 0 });
		const found = new Map();
		const { resourceVersion } = await listAll(this.fetch, this.path, {
			signal,
			onPage: (page) => {
				for (const object of page.items ?? []) this.put(found, object);
				// The first list is shown while it comes.
				if (!this.loadedOnce) {
					this.objects = found;
					this.onChange();
					this.onState({ phase: "loading", count: found.size, remaining: page.metadata?.remainingItemCount ?? 0 });
				}
			},
		});
		this.objects = found;
		this.onChange();
		return resourceVersion;
	}

	/** watch applies changes until the watch ends, and returns the last version. */
	async watch(version, signal, onSuccess) {
		const query = new URLSearchParams({ watch: "1", allowWatchBookmarks: "true", resourceVersion: version, timeoutSeconds: "540" });
		const response = await request(this.fetch, `${this.path}?${query}`, { signal });
		onSuccess();
		this.onState({ phase: "live" });
		let last = version;
		try {
			for await (const line of lines(response)) {
				const { type, object } = JSON.parse(line);
				if (type === "ERROR") throw new APIError(object.code ?? 500, object.reason ?? "", object.message ?? "The watch failed.");
				last = object.metadata.resourceVersion;
				if (type === "DELETED") this.objects.delete(`${object.metadata.namespace}/${object.metadata.name}`);
				else if (type !== "BOOKMARK") this.put(this.objects, object);
				if (type !== "BOOKMARK") this.onChange();
			}
		} catch (err) {
			if (err instanceof APIError || signal.aborted) throw err;
			// The connection broke: the next watch goes on from here, or says why it can't.
		}
		return last;
	}

	put(objects, object) {
		const record = this.convert(object);
		objects.set(record.key, record);
	}

	/** wait waits until the time is over, or hurry or stop ends it. */
	wait(ms, signal) {
		return new Promise((resolve) => {
			const end = () => {
				clearTimeout(timer);
				signal.removeEventListener("abort", end);
				resolve();
			};
			const timer = setTimeout(end, ms);
			signal.addEventListener("abort", end);
			this.wake = end;
		});
	}
}
