// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Loads something again and again, but not more often than is useful.

/** PAUSE is the shortest time from the end of a load to the next one, in milliseconds. */
export const PAUSE = 1000;

/**
 * Refresher runs one load at a time. Whoever asks meanwhile gets one more load after it. So even
 * if changes come faster than a load takes, its result is shown, and requests do not pile up.
 *
 * load gets a signal that stop aborts. onData is called with what it returns, and onError if it fails.
 */
export class Refresher {
	constructor({ load, onData, onError, sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }) {
		Object.assign(this, { load, onData, onError, sleep });
		this.controller = new AbortController();
		this.wanted = false;
		this.running = false;
	}

	/** refresh loads now, or after the load under way and a pause. */
	refresh() {
		this.wanted = true;
		if (!this.running) this.run(this.controller.signal);
	}

	/** stop ends the load under way. Its result is not used. */
	stop() {
		this.controller.abort();
	}

	async run(signal) {
		this.running = true;
		while (this.wanted && !signal.aborted) {
			this.wanted = false;
			try {
				const data = await this.load(signal);
				if (signal.aborted) return;
				this.onData(data);
			} catch (err) {
				if (signal.aborted) return;
				this.onError(err);
			}
			await this.sleep(PAUSE);
		}
		this.running = false;
	}
}
