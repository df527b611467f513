// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Times for people. Nothing here reads a clock: the caller passes the time.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** parseTime returns a time in milliseconds, or 0 if the text is not a time. */
export function parseTime(text) {
	return Date.parse(text ?? "") || 0;
}

/** ago returns how long ago a time was, in one unit: "now", "5m", "3h", "12d". */
export function ago(time, now) {
	if (!time) return "–";
	const passed = now - time;
	if (passed < MINUTE) return "now";
	if (passed < HOUR) return `${Math.floor(passed / MINUTE)}m`;
	if (passed < 2 * DAY) return `${Math.floor(passed / HOUR)}h`;
	return `${Math.floor(passed / DAY)}d`;
}

/** inWords returns the same as ago, as words for sentences: "5m ago", "just now". */
export function inWords(time, now) {
	const text = ago(time, now);
	if (text === "–") return "at an unknown time";
	return text === "now" ? "just now" : `${text} ago`;
}

/** dateTime returns a local date and time to the second, which sorts as text. */
export function dateTime(time) {
	if (!time) return "–";
	const d = new Date(time);
	const two = (n) => String(n).padStart(2, "0");
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** startOfDay returns the local midnight at which the day of a time began. */
export function startOfDay(time) {
	const d = new Date(time);
	return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}

/** dayBefore returns the local midnight a number of days before another one. */
export function dayBefore(midnight, days) {
	const d = new Date(midnight);
	return new Date(d.getFullYear(), d.getMonth(), d.getDate() - days).getTime();
}
