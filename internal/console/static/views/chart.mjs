// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Failures over time: a bar for each day, with a part for each class.

import { describe, perDay, stack } from "../lib/buckets.mjs";
import { useEffect, useMemo, useRef, useState } from "../vendor/hooks.mjs";
import uPlot from "../vendor/uplot.mjs";
import { html } from "./html.mjs";

const day = (time) => new Date(time).toLocaleDateString("en", { month: "short", day: "numeric" });
const weekday = (time) => new Date(time).toLocaleDateString("en", { weekday: "short", month: "short", day: "numeric" });
const HEIGHT = 132;

export function Chart({ records, now, today }) {
	const data = useMemo(() => perDay(records, now), [records, today]);
	const [asTable, setAsTable] = useState(false);
	return html`<section class="panel chart" aria-label="Failures over time">
		<div class="panel-head"><h2>Failures per day</h2><span class="hint">30 days, open and resolved, by class</span><span class="spacer"></span>
			<button class="link" aria-pressed=${asTable} onClick=${() => setAsTable(!asTable)}>${asTable ? "Chart" : "Table"}</button></div>
		${asTable ? html`<${Table} ...${data} />` : !data.classes.length ? html`<p class="hint">No errors in 30 days.</p>` : html`<${Plot} data=${data} />`}
	</section>`;
}

function Plot({ data }) {
	const ref = useRef();
	const tip = useRef();
	const [theme, setTheme] = useState(0);
	const [width, setWidth] = useState(0);
	useEffect(() => {
		const dark = matchMedia("(prefers-color-scheme: dark)");
		const onTheme = () => setTheme((n) => n + 1);
		dark.addEventListener("change", onTheme);
		const size = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
		size.observe(ref.current);
		return () => {
			dark.removeEventListener("change", onTheme);
			size.disconnect();
		};
	}, []);
	useEffect(() => {
		if (!width) return undefined;
		const plot = new uPlot(options(data, width, tip.current), plotData(data), ref.current);
		return () => plot.destroy();
	}, [data, width, theme]);
	return html`<div class="plot" role="img" aria-label=${describe(data, weekday)}>
		<div ref=${ref} class="canvas"></div><div ref=${tip} class="tip" hidden></div>
	</div>`;
}

/** plotData returns the columns for uPlot. The highest bars come first, so that the others cover them. */
function plotData(data) {
	return [data.starts.map((t) => t / 1000), ...stack(data).reverse()];
}

function options(data, width, tip) {
	const style = getComputedStyle(document.documentElement);
	const color = (name) => style.getPropertyValue(name).trim();
	const axis = { stroke: color("--muted"), font: "11px system-ui, sans-serif", ticks: { show: false } };
	const most = Math.max(...data.totals, 4);
	return {
		width, height: HEIGHT, padding: [8, 18, 0, 0], legend: { show: false },
		cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
		scales: {
			x: { time: false, range: () => [data.starts[0] / 1000 - 43_200, data.starts.at(-1) / 1000 + 43_200] },
			y: { range: () => [0, most * 1.08] },
		},
		axes: [
			{ ...axis, size: 22, gap: 4, grid: { show: false }, splits: () => data.starts.filter((_, i) => (data.starts.length - 1 - i) % 7 === 0).map((t) => t / 1000), values: (_, all) => all.map((t) => day(t * 1000)) },
			{ ...axis, size: 38, gap: 6, grid: { stroke: color("--line"), width: 1 }, space: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000], values: (_, all) => all.map((n) => n.toLocaleString("en")) },
		],
		series: [{}, ...[...data.classes].reverse().map((c) => ({
			fill: color(`--c-${c}`), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 26], radius: 0.12 }),
		}))],
		hooks: { setCursor: [(u) => showTip(u, data, tip)] },
	};
}

/** showTip shows the numbers of the day under the pointer. */
function showTip(u, data, tip) {
	const i = u.cursor.idx;
	tip.hidden = i == null || u.cursor.left < 0;
	if (tip.hidden) return;
	const lines = data.classes.filter((c) => data.counts[c][i]).reverse().map((c) => {
		const line = document.createElement("div");
		const mark = document.createElement("i");
		mark.className = `mark ${c}`;
		line.append(mark, `${c} ${data.counts[c][i].toLocaleString("en")}`);
		return line;
	});
	const title = document.createElement("b");
	title.textContent = `${weekday(data.starts[i])}: ${data.totals[i].toLocaleString("en")}`;
	tip.replaceChildren(title, ...lines);
	const left = u.valToPos(u.data[0][i], "x") + u.over.offsetLeft;
	tip.style.left = `${Math.min(Math.max(0, left + 14), u.width - tip.offsetWidth - 4)}px`;
}

function Table({ starts, classes, counts, totals }) {
	const days = starts.map((start, i) => ({ start, i })).filter(({ i }) => totals[i]).reverse();
	if (!days.length) return html`<p class="hint">No errors in 30 days.</p>`;
	return html`<div class="scroll" tabindex="0"><table>
		<thead><tr><th scope="col">Day</th><th scope="col">All</th>${classes.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
		<tbody>${days.map(({ start, i }) => html`<tr><th scope="row">${weekday(start)}</th><td>${totals[i]}</td>${classes.map((c) => html`<td>${counts[c][i] || ""}</td>`)}</tr>`)}</tbody>
	</table></div>`;
}
