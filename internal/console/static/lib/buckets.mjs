// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The numbers of the chart: errors by day and class.

import { CLASSES } from "./model.mjs";
import { dayBefore, startOfDay } from "./time.mjs";

/** perDay counts errors by the day on which they first happened, and by class. */
export function perDay(records, now, days = 30) {
	const today = startOfDay(now);
	const starts = Array.from({ length: days }, (_, i) => dayBefore(today, days - 1 - i));
	const byStart = new Map(starts.map((start, i) => [start, i]));
	const counts = Object.fromEntries(CLASSES.map((c) => [c, new Array(days).fill(0)]));
	const totals = new Array(days).fill(0);
	for (const r of records) {
		const day = byStart.get(startOfDay(r.first));
		if (day === undefined) continue;
		counts[r.class][day]++;
		totals[day]++;
	}
	const classes = CLASSES.filter((c) => counts[c].some(Boolean));
	return { starts, classes, counts, totals };
}

/** stack returns a series for each class, each on top of the ones before it. */
export function stack({ classes, counts, totals }) {
	const sum = new Array(totals.length).fill(0);
	return classes.map((c) => counts[c].map((n, day) => (sum[day] += n)));
}

/** describe returns the chart in one sentence, for those who do not see it. */
export function describe({ starts, classes, counts, totals }, nameOfDay) {
	const total = totals.reduce((a, b) => a + b, 0);
	if (!total) return `No errors in ${starts.length} days.`;
	const most = totals.indexOf(Math.max(...totals));
	const parts = classes
		.map((c) => [c, counts[c].reduce((a, b) => a + b, 0)])
		.sort((a, b) => b[1] - a[1])
		.map(([c, n]) => `${c} ${n}`);
	return `${total} errors in ${starts.length} days, most on ${nameOfDay(starts[most])} (${totals[most]}): ${parts.join(", ")}.`;
}
