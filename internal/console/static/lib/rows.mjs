// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The rows of the list, of which only those in view are in the page.

/**
 * toRows returns the rows for workloads: one for each workload and for each of its codes, and one
 * for each error of the codes that are open. A code with one error needs no row for it.
 */
export function toRows(workloads, opened, closed) {
	const rows = [];
	for (const workload of workloads) {
		const isOpen = !closed.has(workload.key);
		rows.push({ type: "workload", level: 1, key: workload.key, item: workload, errors: workload.errors, isOpen });
		if (!isOpen) continue;
		for (const group of workload.groups) {
			const single = group.errors.length === 1;
			const groupOpen = !single && opened.has(group.key);
			rows.push({ type: "code", level: 2, key: group.key, item: group, errors: group.errors, isOpen: single ? undefined : groupOpen });
			if (!groupOpen) continue;
			for (const error of group.errors) {
				rows.push({ type: "error", level: 3, key: error.key, item: error, errors: [error] });
			}
		}
	}
	return rows;
}

/** layOut returns where each row begins, and in the last place where the last one ends. */
export function layOut(rows, heights) {
	const tops = new Array(rows.length + 1);
	tops[0] = 0;
	rows.forEach((row, i) => {
		tops[i + 1] = tops[i] + heights[row.type];
	});
	return tops;
}

/** visible returns the first row in view, and the one after the last, with some to spare. */
export function visible(tops, from, to, spare = 6) {
	const count = tops.length - 1;
	const first = Math.max(0, indexAt(tops, from) - spare);
	const last = Math.min(count, indexAt(tops, to) + 1 + spare);
	return [first, last];
}

/** indexAt returns the row at a height, by binary search. */
export function indexAt(tops, height) {
	let low = 0;
	let high = tops.length - 2;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (tops[middle] <= height) low = middle;
		else high = middle - 1;
	}
	return Math.max(0, low);
}
