// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// The state of the page, and what changes it.

import { isUnavailable, json, listAll, request } from "./lib/api.mjs";
import { archivePath, toPage } from "./lib/archive.mjs";
import { Feed } from "./lib/feed.mjs";
import { parseURL, toURL } from "./lib/filters.mjs";
import { ownerOf, toRecord } from "./lib/model.mjs";
import { changeEach, inParallel, pathOf, planChanges } from "./lib/plan.mjs";
import { Rights } from "./lib/rights.mjs";

/** UNDO_SECONDS is how long a change can be undone with one key. */
const UNDO_SECONDS = 20;
const HIDDEN_SECONDS = 60;
/** OWNERS_SECONDS is how long to wait before the owners of Jobs are asked for again. */
const OWNERS_SECONDS = 10;
const METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

const isComplete = (resolution) => (resolution.status?.conditions ?? []).some((c) => c.type === "Complete" && c.status === "True");
/** detailOf returns what to know of a change beside its numbers. */
function detailOf(pending, patched, reason) {
	const parts = [];
	if (pending) parts.push(`${pending} more are under way.`);
	if (patched) parts.push(`The operator's API does not answer, so ${patched === 1 ? "the error was" : "the errors were"} changed directly.${reason ? " The reason was not recorded." : ""}`);
	return parts.join(" ");
}

const fetch = (...args) => window.fetch(...args);

/** createStore returns the state, with a function that calls a listener after changes. */
export function createStore() {
	const { filters, view } = parseURL(location.search);
	const s = {
		filters, view,
		records: [], settings: {}, user: "",
		connection: { phase: "loading", count: 0 },
		everywhere: true, // whether the errors are of all namespaces
		owners: new Map(),
		selected: new Set(), opened: new Set(), closed: new Set(), active: "", scroll: 0,
		toasts: [], progress: undefined, dialog: undefined,
		updated: 0,
		apiDown: false, // whether the aggregated API did not answer the last request
	};
	let listener = () => {};
	let scheduled = 0;
	let feed;
	let lastToast = 0;

	/** changed draws the page again, at most once for each frame. */
	const changed = () => {
		if (scheduled) return;
		scheduled = requestAnimationFrame(() => {
			scheduled = 0;
			listener();
		});
	};
	const rights = new Rights(fetch, changed);

	// Many events may come at once. The list is computed again at most five times a second.
	let refreshing = 0;
	const refresh = () => {
		if (refreshing) return;
		refreshing = setTimeout(() => {
			refreshing = 0;
			s.records = [...feed.objects.values()];
			s.updated = Date.now();
			for (const key of s.selected) if (!feed.objects.has(key)) s.selected.delete(key);
			if (feed.loadedOnce) loadOwners();
			changed();
		}, 200);
	};

	/** connect follows the errors of all namespaces, or of one if the user may not see them all. */
	const connect = (namespace) => {
		feed?.stop();
		s.everywhere = !namespace;
		s.records = [];
		s.selected.clear();
		s.connection = { phase: "loading", count: 0 };
		const current = new Feed({
			fetch,
			path: namespace ? `apis/joberror.io/v1/namespaces/${encodeURIComponent(namespace)}/joberrors` : "apis/joberror.io/v1/joberrors",
			convert: toRecord,
			onChange: refresh,
			onState: (connection) => {
				if (feed !== current) return;
				if (connection.phase === "forbidden" && !namespace) {
					const own = s.filters.ns || s.settings.namespace || "default";
					s.filters = { ...s.filters, ns: own };
					write(true);
					connect(own);
					return;
				}
				s.connection = connection;
				changed();
			},
		});
		feed = current;
		feed.start();
		changed();
	};

	/** write puts the state into the URL. */
	const write = (replace) => {
		history[replace ? "replaceState" : "pushState"](null, "", toURL(s.filters, s.view));
	};

	/** setView changes what is shown. The keys of the page before end with it. */
	const setView = (view) => {
		s.view = view;
		s.page = undefined;
	};

	// The owners of Jobs that errors name. They are asked for only when a Job is new.
	const asked = new Set();
	let loadingOwners = false;
	const loadOwners = async () => {
		const isNew = s.records.some((r) => r.jobUID && !r.cronJob && !asked.has(r.jobUID));
		if (!isNew || loadingOwners) return;
		loadingOwners = true;
		const uids = s.records.filter((r) => !r.cronJob).map((r) => r.jobUID);
		try {
			const path = s.everywhere ? "apis/batch/v1/jobs" : `apis/batch/v1/namespaces/${encodeURIComponent(s.filters.ns)}/jobs`;
			const { items } = await listAll(fetch, path, { accept: METADATA });
			for (const { metadata } of items) {
				const owner = ownerOf(metadata);
				if (owner && owner.kind !== "CronJob") s.owners.set(metadata.uid, owner);
			}
		} catch (err) {
			// Without the owners, errors are grouped by Job.
			if (err.code !== 403) {
				setTimeout(() => {
					loadingOwners = false;
					loadOwners();
				}, OWNERS_SECONDS * 1000);
				return;
			}
		}
		for (const uid of uids) asked.add(uid);
		loadingOwners = false;
		changed();
	};

	const toast = (t) => {
		const added = { id: ++lastToast, ...t };
		s.toasts = [...s.toasts.filter((old) => !old.undo || !t.undo), added].slice(-4);
		setTimeout(() => actions.dismiss(added.id), (t.seconds ?? 8) * 1000);
		changed();
		return added;
	};

	/** change resolves or reopens errors, Job by Job, and returns how many it changed. */
	const change = async (records, resolved, reason) => {
		const requests = planChanges(records, resolved);
		const total = requests.reduce((n, r) => n + r.names.length, 0);
		const progress = { done: 0, total, verb: resolved ? "Resolving" : "Reopening" };
		s.progress = progress;
		changed();
		const failures = [];
		let updated = 0;
		let pending = 0;
		let patched = 0;
		await inParallel(requests, 4, async (r) => {
			try {
				const body = { errors: r.names, ...(reason && { reason }) };
				const resolution = await json(fetch, pathOf(r, resolved), { method: "PUT", body });
				s.apiDown = false;
				const changedNow = resolution.status?.updated ?? 0;
				updated += changedNow;
				// A resolution that takes long goes on after the answer. One without a name changed nothing.
				if (resolution.metadata?.name && !isComplete(resolution)) pending += r.names.length - changedNow;
				for (const f of resolution.status?.failures ?? []) failures.push(`${f.name}: ${f.message || f.reason}`);
			} catch (err) {
				if (isUnavailable(err)) {
					s.apiDown = true;
					const each = await changeEach(r, resolved, (path, options) => json(fetch, path, options));
					updated += each.updated;
					patched += each.updated;
					failures.push(...each.failures);
				} else {
					failures.push(err.message);
				}
			}
			progress.done += r.names.length;
			changed();
		});
		s.progress = undefined;
		changed();
		return { updated, pending, patched, failures };
	};

	/** resolveNow resolves or reopens errors, and shows what came of it. */
	const resolveNow = async (target, resolved, reason) => {
		const { updated, pending, patched, failures } = await change(target, resolved, reason);
		const past = resolved ? "Resolved" : "Reopened";
		if (failures.length) toast({ kind: "bad", text: `${past} ${updated} of ${target.length} errors.`, detail: failures.slice(0, 3).join("\n"), seconds: 30 });
		if (updated || pending) {
			const undo = async () => {
				const back = await change(target.map((r) => ({ ...r, resolved })), !resolved, "undone in the console");
				toast(back.failures.length
					? { kind: "bad", text: "The change could not be undone completely.", detail: back.failures[0], seconds: 30 }
					: { kind: "good", text: `Undone: ${back.updated} ${back.updated === 1 ? "error is" : "errors are"} ${resolved ? "open" : "resolved"} again.` });
			};
			toast({ kind: "good", text: `${past} ${updated} ${updated === 1 ? "error" : "errors"}.`, detail: detailOf(pending, patched, reason), undo, seconds: UNDO_SECONDS });
		}
	};

	const actions = {
		/** setFilter changes filters, and shows the list. */
		setFilter(patch) {
			const typing = "q" in patch;
			s.filters = { ...s.filters, ...patch };
			setView({ view: "list" });
			s.scroll = 0;
			s.selected.clear();
			write(typing);
			if ("ns" in patch && (!s.everywhere || s.connection.phase === "forbidden")) connect(patch.ns);
			changed();
		},
		show(view) {
			if (s.view.view === "list") s.scroll = window.scrollY;
			setView(view);
			write(false);
			window.scrollTo(0, 0);
			changed();
		},
		toggle(set, keys, on) {
			for (const key of keys) {
				if (on ?? !set.has(key)) set.add(key);
				else set.delete(key);
			}
			changed();
		},
		set(patch) {
			Object.assign(s, patch);
			changed();
		},
		clearSelection() {
			s.selected.clear();
			changed();
		},
		selection() {
			return s.records.filter((r) => s.selected.has(r.key));
		},
		/** resolve begins to resolve or reopen errors. It returns false if another change is under way. */
		resolve(records, resolved, reason = "") {
			if (s.progress) return false;
			const target = records.filter((r) => r.resolved !== resolved);
			if (target.length) {
				s.selected.clear();
				resolveNow(target, resolved, reason);
			}
			return true;
		},
		undo(id) {
			const found = s.toasts.find((t) => t.undo && (id === undefined || t.id === id));
			if (!found || s.progress) return;
			actions.dismiss(found.id);
			found.undo();
		},
		dismiss(id) {
			s.toasts = s.toasts.filter((t) => t.id !== id);
			changed();
		},
		/** retry asks for another run of a Job, and returns the retry. */
		async retry({ namespace, job }, body) {
			const path = `apis/resolve.joberror.io/v1/namespaces/${namespace}/jobs/${job}/retry`;
			let retry;
			try {
				retry = await json(fetch, path, { method: "POST", body });
			} catch (err) {
				if (!isUnavailable(err)) throw err;
				s.apiDown = true;
				changed();
				throw new Error("The operator's API does not answer, so nothing can be run again from here. To find out why, type: kubectl joberrors check");
			}
			s.apiDown = false;
			const started = retry.status?.job;
			toast({
				kind: "good", text: started ? `Retry ${started.name} was started.` : "The retry was requested.", seconds: 12,
				link: started && { view: "job", namespace, name: started.name, uid: started.uid ?? "" },
			});
			return retry;
		},
		may: (action, namespace) => rights.may(action, namespace),
		hurry: () => feed.hurry(),
		/** reconnect starts again after an answer that was final. */
		reconnect: () => connect(s.everywhere ? "" : s.filters.ns),
		get: (path, options) => json(fetch, path, options),
		list: (path, options) => listAll(fetch, path, options),
		/** archive returns a page of the archived errors of a Job. */
		archive: async (namespace, job, next, signal) => toPage(await request(fetch, archivePath(namespace, job, next), { signal })),
		log: async (path, { signal } = {}) => (await request(fetch, path, { accept: "text/plain, application/json", signal })).text(),
	};

	const start = async () => {
		try {
			s.settings = await json(fetch, "settings.json");
		} catch {
			// The list will say what is wrong.
		}
		connect("");
		try {
			const review = await json(fetch, "apis/authentication.k8s.io/v1/selfsubjectreviews", {
				method: "POST", body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
			});
			s.user = review.status?.userInfo?.username ?? "";
			changed();
		} catch {
			// The name is for information only.
		}
	};

	window.addEventListener("popstate", () => {
		const { filters, view } = parseURL(location.search);
		const other = !s.everywhere && filters.ns !== s.filters.ns;
		s.filters = filters;
		setView(view);
		if (other) connect(filters.ns);
		changed();
	});

	// A browser has few connections to one host. A page that nobody sees gives its own back.
	let hiding = 0;
	document.addEventListener("visibilitychange", () => {
		clearTimeout(hiding);
		if (document.hidden) hiding = setTimeout(() => feed.stop(), HIDDEN_SECONDS * 1000);
		else if (feed?.controller.signal.aborted) feed.start();
	});
	setInterval(changed, 15_000); // the ages
	setInterval(() => s.connection.phase === "reconnecting" && changed(), 1000);
	history.scrollRestoration = "manual";

	return { state: s, actions, start, listen: (f) => { listener = f; } };
}
