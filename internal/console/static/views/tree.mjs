// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The list of workloads, codes and errors. Only the rows in view are in the page.

import { layOut, toRows, visible } from "../lib/rows.mjs";
import { ago, dateTime } from "../lib/time.mjs";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.mjs";
import { html, Icon, names, plural } from "./html.mjs";
import { askToResolve, askToRetry, jobView, openRow, selectRow } from "./keys.mjs";

// The heights of the rows, as in style.css.
const WIDE = { workload: 44, code: 36, error: 32 };
const NARROW = { workload: 48, code: 62, error: 58 };
const narrow = matchMedia("(max-width: 700px)");

export function Tree({ state, actions, workloads, now }) {
	const ref = useRef();
	const [isNarrow, setNarrow] = useState(narrow.matches);
	const rows = useMemo(() => toRows(workloads, state.opened, state.closed), [workloads, state.opened.size, state.closed.size, ...state.opened, ...state.closed]);
	const tops = useMemo(() => layOut(rows, isNarrow ? NARROW : WIDE), [rows, isNarrow]);
	const [[from, to], setView] = useState([0, 1200]);
	state.rows = rows;

	useLayoutEffect(() => {
		const update = () => {
			if (!ref.current) return;
			const top = ref.current.getBoundingClientRect().top;
			setView((old) => (old[0] === -top && old[1] === innerHeight - top ? old : [-top, innerHeight - top]));
		};
		const onNarrow = () => setNarrow(narrow.matches);
		update();
		addEventListener("scroll", update, { passive: true });
		addEventListener("resize", update);
		narrow.addEventListener("change", onNarrow);
		return () => {
			removeEventListener("scroll", update);
			removeEventListener("resize", update);
			narrow.removeEventListener("change", onNarrow);
		};
	}, [rows]);

	// Who comes back to the list finds it where it was.
	useLayoutEffect(() => {
		if (state.scroll) scrollTo(0, state.scroll);
	}, []);

	// The row that the keys have moved to comes into view.
	useEffect(() => {
		if (!state.follow) return;
		state.follow = false;
		const at = rows.findIndex((r) => r.key === state.active);
		if (at < 0) return;
		ref.current.focus({ preventScroll: true });
		const origin = ref.current.getBoundingClientRect().top + scrollY;
		const above = origin + tops[at] - 120;
		const below = origin + tops[at + 1] + 110 - innerHeight;
		if (scrollY > above) scrollTo(0, above);
		else if (scrollY < below) scrollTo(0, below);
	});

	const [first, last] = visible(tops, from, to);
	const activeAt = rows.findIndex((r) => r.key === state.active);
	return html`<div class="tree" role="treegrid" aria-label="Errors by workload and code" aria-multiselectable="true" aria-rowcount=${rows.length}
			aria-activedescendant=${activeAt >= first && activeAt < last ? `row-${activeAt}` : undefined} tabindex="0"
			ref=${ref} onFocus=${() => state.active || rows.length === 0 || actions.set({ active: rows[0].key })}>
		<div class="space" style=${{ height: `${tops[rows.length]}px` }}>
			<div class="rows" style=${{ transform: `translateY(${tops[first]}px)` }}>
				${rows.slice(first, last).map((row, i) => html`<${Row} key=${row.type + row.key} row=${row} at=${first + i} isActive=${row.key === state.active} state=${state} actions=${actions} now=${now} />`)}
			</div>
		</div>
	</div>`;
}

function Row({ row, at, isActive, state, actions, now }) {
	const selected = row.errors.filter((r) => state.selected.has(r.key)).length;
	const all = selected === row.errors.length;
	const open = () => {
		state.active = row.key;
		openRow(row, actions, state);
	};
	const only = (f) => (e) => {
		e.stopPropagation();
		f(e);
	};
	const cells = { workload: WorkloadCells, code: CodeCells, error: ErrorCells }[row.type];
	const newest = row.errors[0];
	const count = row.type === "error" ? row.item.count : row.errors.length;
	const occurrences = row.item.count;
	return html`<div id=${`row-${at}`} role="row" class=${names("row", row.type, isActive && "active", all && "selected", newest.resolved && row.type !== "workload" && "resolved")}
			aria-level=${row.level} aria-rowindex=${at + 1} aria-expanded=${row.isOpen} aria-selected=${all} onClick=${open}>
		<span role="gridcell" class="check" onClick=${only(() => {})}><input type="checkbox" tabindex="-1" checked=${all} indeterminate=${selected > 0 && !all}
			aria-label=${`Select ${plural(row.errors.length, "error")}`} onChange=${() => selectRow(row, state, actions)} /></span>
		<${cells} row=${row} actions=${actions} only=${only} />
		<span role="gridcell" class="number" title=${`${plural(row.errors.length, "error")}, ${plural(occurrences, "occurrence")}`}>${row.type === "error" ? (count > 1 ? `×${count}` : "") : count.toLocaleString("en")}</span>
		<span role="gridcell" class="age" title=${dateTime(row.item.last)}>${ago(row.item.last, now)}</span>
		<span role="gridcell" class="acts">
			<button class="quiet square" tabindex="-1" title="Run the Job again (r)" aria-label="Run the Job again" onClick=${only(() => askToRetry(newest, actions))}><${Icon} name="retry" /></button>
			<button class="quiet square" tabindex="-1" title=${newest.resolved ? "Reopen" : "Resolve (e)"} aria-label=${newest.resolved ? "Reopen" : "Resolve"} onClick=${only(() => askToResolve(row.errors, !newest.resolved, actions))}><${Icon} name=${newest.resolved ? "reopen" : "check"} /></button>
		</span>
	</div>`;
}

const Chevron = ({ row }) => html`<span class=${names("chevron", row.isOpen && "open", row.isOpen === undefined && "none")}><${Icon} name="chevron" /></span>`;

function WorkloadCells({ row, actions, only }) {
	const { kind, name, namespace, groups } = row.item;
	return html`<span role="gridcell" class="main"><${Chevron} row=${row} /><span class="kind">${kind}</span>
			<button class="name" tabindex="-1" title="Open its last Job (o)" onClick=${only(() => actions.show(jobView(row.errors[0])))}>${name}</button></span>
		<span role="gridcell" class="message"><span class="ns">${namespace}</span>${!row.isOpen && html`<span class="brief">${groups.map((g) => g.code).join(", ")}</span>`}</span>`;
}

function CodeCells({ row }) {
	const { code, class: kind, line } = row.item;
	return html`<span role="gridcell" class="main"><${Chevron} row=${row} /><i class=${"mark " + kind} title=${kind}></i><span class="code">${code}</span></span>
		<span role="gridcell" class="message">${line}</span>`;
}

function ErrorCells({ row }) {
	const { jobName, source, line } = row.item;
	return html`<span role="gridcell" class="main">${source && source !== jobName ? source : jobName}</span>
		<span role="gridcell" class="message">${line}</span>`;
}
