// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The template function of all views. Its values are text, never HTML.

import htm from "../vendor/htm.mjs";
import { h } from "../vendor/preact.mjs";

export const html = htm.bind(h);

/** names joins class names, and leaves out those that are false. */
export const names = (...list) => list.filter(Boolean).join(" ");

/** plural returns a number with its noun. */
export const plural = (n, noun, many = noun + "s") => `${n.toLocaleString("en")} ${n === 1 ? noun : many}`;

const ICONS = {
	chevron: "M6 4l4 4-4 4",
	back: "M10 3L5 8l5 5",
	search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3 3",
	check: "M3 8.5l3.2 3.2L13 5",
	retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
	close: "M4 4l8 8M12 4l-8 8",
	reopen: "M3 8a5 5 0 1 0 1.5-3.6M3 2v3h3",
	external: "M6 3H3v10h10v-3M9 3h4v4M13 3L7 9",
	error: "M8 4.5v4M8 11.2v.1",
	run: "M5 3.5v9l7-4.5z",
	cloud: "M2 2l12 12M5 12a3 3 0 0 1-.5-5.9M7 4.3A4 4 0 0 1 11.8 7 2.6 2.6 0 0 1 13.6 11",
	lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
	box: "M2.5 5L8 2.5 13.5 5v6L8 13.5 2.5 11zM2.5 5L8 7.5 13.5 5M8 7.5v6",
};

/** Icon is a picture that adds nothing to the text next to it. */
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;
